"""What customers are told that recommendations go by: the statement that holds, those before it, and what differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from recommendations.models import RecommendationStatement
from recommendations.statement_terms import StatementCause
from recommendations.store.statements import ledger
from recommendations.store.statements.parameters import LiveConfiguration
from recommendations.wording.statement.text import StatedSection

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
    """What differs between two texts in the same language, section by section, in the order of the newer."""
    was, becomes = _by_title(older), _by_title(newer)
    compared = [
        SectionDifference(
            title=title,
            gone=[line for line in was.get(title, ()) if line not in becomes.get(title, ())],
            new=[line for line in becomes.get(title, ()) if line not in was.get(title, ())],
        )
        for title in dict.fromkeys([*becomes, *was])
    ]
    return [each for each in compared if each.gone or each.new]


def _by_title(sections: Sequence[StatedSection]) -> dict[str, list[str]]:
    return {section["title"]: [sentence for _row, sentence in section["lines"]] for section in sections}
