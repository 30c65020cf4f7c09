"""What customers are told that recommendations go by: the statement that holds, those before it, and what differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from recommendations.models import RecommendationStatement
from recommendations.statement_terms import StatementCause
from recommendations.store.statements import ledger
from recommendations.store.statements.parameters import LiveConfiguration
from recommendations.wording.statement.text import StatedSection, joined_places, title_of

__all__ = [
    "LiveConfiguration", "SectionDifference", "configuration_now", "differences", "sections_in",
    "state_at_start", "statement_at", "statement_now", "statement_of", "statements",
]  # fmt: skip

MOST = 100
"""Versions that are listed."""


@dataclass(frozen=True, kw_only=True)
class SectionDifference:
    """Sentences of a section that only one of two versions has."""

    title: str
    gone: Sequence[str]
    new: Sequence[str]


def state_at_start() -> None:
    """Note the first statement, or the words that came with another version of Recsite."""
    ledger.note_statement(StatementCause.START)


def statement_now() -> RecommendationStatement | None:
    """The statement that holds; None before the tables were made."""
    return ledger.last_statement()


def statement_at(moment: datetime) -> RecommendationStatement | None:
    """The statement that held at a moment; None before the first."""
    return RecommendationStatement.objects.filter(at__lte=moment).first()


def statement_of(number: int) -> RecommendationStatement | None:
    return RecommendationStatement.objects.filter(number=number).first()


def statements(*, most: int = MOST) -> list[RecommendationStatement]:
    """The versions without their texts, the newest first."""
    return list(RecommendationStatement.objects.defer("text", "parameters")[:most])


def configuration_now() -> LiveConfiguration:
    """The rows that a statement would be made of now."""
    return ledger.live_configuration()


def sections_in(statement: RecommendationStatement, language: str) -> Sequence[StatedSection]:
    """The text in a language, or in the shop's where there is none in that."""
    text: dict[str, list[StatedSection]] = statement.text
    return text.get(language) or text.get(settings.LANGUAGE_CODE) or next(iter(text.values()))


def differences(older: Sequence[StatedSection], newer: Sequence[StatedSection]) -> list[SectionDifference]:
    """What differs between two texts in the language that is active, in the order of the newer.

    Placements are compared one by one, whichever stood together; those with the same difference are said at once.
    """
    was, becomes = _by_part(older), _by_part(newer)
    nothing = _StatedPart(title="", place="", group="", lines=())
    alike: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for key in dict.fromkeys([*becomes, *was]):
        before, after = was.get(key, nothing), becomes.get(key, nothing)
        gone = tuple(line for line in before.lines if line not in after.lines)
        new = tuple(line for line in after.lines if line not in before.lines)
        part = becomes.get(key) or before
        if gone or new:
            alike.setdefault((part.title, part.group, gone, new), []).append(part.place)
    return [
        SectionDifference(title=title or title_of(joined_places(places), group), gone=gone, new=new)
        for (title, group, gone, new), places in alike.items()
    ]


@dataclass(frozen=True, kw_only=True)
class _StatedPart:
    """What is said of one placement, or of the whole shop under a title."""

    title: str
    place: str
    group: str
    lines: Sequence[str]


def _by_part(sections: Sequence[StatedSection]) -> dict[tuple[str, str], _StatedPart]:
    """What is said by name of a placement and group, or by title; of several groups as many as there are."""
    parts: dict[tuple[str, str], _StatedPart] = {}
    for section in sections:
        group = section["group"]
        for name, place in section["places"]:
            own = [line["plain"] for line in section["lines"] if name in line["holds"]]
            former = parts.get((name, group))
            lines = (*(former.lines if former else ()), *own)
            parts[name, group] = _StatedPart(title="", place=place, group=group, lines=lines)
        if not section["places"]:
            own = [line["plain"] for line in section["lines"]]
            parts["", section["title"]] = _StatedPart(title=section["title"], place="", group="", lines=own)
    return parts
