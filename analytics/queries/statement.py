"""The statement to customers as staff look at it: both languages, the rows that each sentence comes from, versions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, gettext

from analytics.queries.weights.groups import place_of
from recommendations.models import BlendWeights, Experiment, RecommendationStatement
from recommendations.services.statements import (
    LiveConfiguration,
    SectionDifference,
    configuration_now,
    differences,
    sections_in,
)
from recommendations.statement_terms import StatedRow, StatementCause
from recommendations.wording.labels import placement_label
from recommendations.wording.statement.labels import CAUSES, ROWS


@dataclass(frozen=True, kw_only=True)
class RowLink:
    """A row of the record, by its page."""

    words: str
    address: str


@dataclass(frozen=True, kw_only=True)
class SentencePair:
    """A sentence in every language, with the kind of row that it comes from."""

    row: str
    texts: Sequence[tuple[str, str]]  # language and sentence


@dataclass(frozen=True, kw_only=True)
class StatementPassage:
    """A section in every language, and the rows that it comes from now; none of a version that no longer holds."""

    titles: Sequence[tuple[str, str]]
    sentences: Sequence[SentencePair]
    sources: Sequence[RowLink]


@dataclass(frozen=True, kw_only=True)
class StatementVersion:
    """A version, why there is one, and what it changed in the reader's language; None where it is the first."""

    statement: RecommendationStatement
    cause: str
    row: RowLink | None
    changes: Sequence[SectionDifference] | None


def passages(statement: RecommendationStatement, *, holds: bool) -> list[StatementPassage]:
    """The text, section by section, with what it comes from where it ``holds``."""
    languages = [code for code, _name in settings.LANGUAGES if code in statement.text]
    sources = _Sources(configuration_now()) if holds else None
    made = []
    for sections in zip(*(sections_in(statement, language) for language in languages), strict=True):
        lines = zip(*(section["lines"] for section in sections), strict=True)
        pairs = [
            SentencePair(row=str(ROWS[own[0]["row"]]), texts=_by_language(languages, (line["text"] for line in own)))
            for own in lines
        ]
        kinds = {line["row"] for line in sections[0]["lines"]}
        made.append(
            StatementPassage(
                titles=_by_language(languages, (section["title"] for section in sections)),
                sentences=pairs,
                sources=sources.of([name for name, _place in sections[0]["places"]], kinds) if sources else (),
            )
        )
    return made


def versions(rows: Sequence[RecommendationStatement], *, most: int) -> list[StatementVersion]:
    """The first ``most`` of these, the newest first; one that is beyond is what the last of them replaced."""
    language = get_language() or settings.LANGUAGE_CODE
    links = _cause_links(rows[:most])
    return [
        StatementVersion(
            statement=own,
            cause=str(CAUSES[_cause(own)[0]]),
            row=links.get(_cause(own)),
            changes=differences(sections_in(older, language), sections_in(own, language)) if older else None,
        )
        for own, older in zip_longest(rows[:most], rows[1 : most + 1])
    ]


class _Sources:
    """Links to the rows that are live, by placement and kind."""

    def __init__(self, live: LiveConfiguration) -> None:
        self._live = live
        self._placements = {placement.name: placement for placement in live.placements}
        self._weights: Mapping[int, list[BlendWeights]] = defaultdict(list)
        for row in live.weights:
            self._weights[row.blend_id].append(row)

    def of(self, names: Sequence[str], kinds: set[str]) -> list[RowLink]:
        """Links of a section: of its placements, or of the whole shop where it names none."""
        links = []
        if StatedRow.RULES in kinds and (book := self._live.book):
            links.append(RowLink(words=f"{ROWS[StatedRow.RULES]} r{book}", address=reverse("rules")))
        if StatedRow.EXPERIMENT in kinds:
            links += [_experiment_link(each) for each, _changes in self._live.experiments]
        if StatedRow.WEIGHTS in kinds and not names and (visit := self._live.visit_weights()):
            links.append(_weights_link(visit))
        placements = [self._placements[name] for name in names if name in self._placements]
        links += [_placement_link(placement.name) for placement in placements]
        if StatedRow.WEIGHTS in kinds:
            blends = dict.fromkeys(placement.blend_id for placement in placements if placement.blend_id)
            links += [_weights_link(row) for blend in blends for row in self._weights[blend]]
        if StatedRow.PROMISE in kinds:
            promises = filter(None, map(self._live.promise_of, placements))
            links += [_promise_link(promise.number) for promise in promises]
        return links


def _by_language(languages: Sequence[str], texts: Iterable[str]) -> list[tuple[str, str]]:
    return list(zip(languages, texts, strict=True))


def _cause(statement: RecommendationStatement) -> tuple[str, int | str | None]:
    [(cause, key)] = statement.because.items()
    return cause, key


def _cause_links(statements: Sequence[RecommendationStatement]) -> dict[tuple[str, int | str | None], RowLink]:
    """Link to the row of each cause that is still there."""
    causes = {_cause(statement) for statement in statements}
    keys: Mapping[StatementCause, list[Any]] = {
        kind: [key for cause, key in causes if cause == kind] for kind in StatementCause
    }
    links: dict[tuple[str, int | str | None], RowLink] = {}
    weights = BlendWeights.objects.select_related("blend", "segment", "audience").filter(
        pk__in=keys[StatementCause.WEIGHTS]
    )
    links |= {(StatementCause.WEIGHTS, row.pk): _weights_link(row) for row in weights}
    tests = Experiment.objects.filter(pk__in=keys[StatementCause.EXPERIMENT])
    links |= {(StatementCause.EXPERIMENT, test.pk): _experiment_link(test) for test in tests}
    for number in keys[StatementCause.BOOK]:
        address = f"{reverse('rule_books')}#r{number}"
        links[StatementCause.BOOK, number] = RowLink(words=f"r{number}", address=address)
    links |= {(StatementCause.PLACEMENT, name): _placement_link(name) for name in keys[StatementCause.PLACEMENT]}
    return links


def _weights_link(row: BlendWeights) -> RowLink:
    words = gettext("Weights %(version)s") % {"version": f"“{row.blend}” v{row.number}"}
    return RowLink(words=words, address=f"{reverse('weights')}?{urlencode(place_of(row))}")


def _placement_link(name: str) -> RowLink:
    return RowLink(words=placement_label(name), address=reverse("placement_settings", args=[name]))


def _experiment_link(experiment: Experiment) -> RowLink:
    return RowLink(words=experiment.name, address=reverse("experiment", args=[experiment.pk]))


def _promise_link(number: int) -> RowLink:
    return RowLink(words=gettext("Promise n%(number)s") % {"number": number}, address=reverse("new_items"))
