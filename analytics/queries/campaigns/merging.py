"""What two people wrote at once, as the editor shows it: what is merged, what both changed, and what is taken along."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.queries.campaigns.words import FIELDS, differing, place_words, value_text, with_defaults
from analytics.queries.last_change import last_change
from recommendations.services.campaigns.draft_trail import WRITES
from recommendations.services.campaigns.lifecycle import StaleCampaignError
from recommendations.services.campaigns.merging import merge

NAME = "/name"
type Row = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class MergedDraft:
    """Mine over theirs where I changed it; ``who`` saved theirs last, as ``revision``.

    Rows are the words of a place and what stands there: theirs and mine of ``conflicts``, theirs of ``taken``.
    """

    name: str
    draft: Mapping[str, Any]
    conflicts: Sequence[Row]
    taken: Sequence[tuple[str, str]]
    who: str
    at: datetime | None
    revision: int


def merge_with_theirs(error: StaleCampaignError, *, name: str, draft: Mapping[str, Any]) -> MergedDraft:
    """My name and draft with what was saved meanwhile; where nobody knows what I had read, all of mine stands."""
    current = error.current
    mine, theirs = (
        {**with_defaults(side), "name": own} for own, side in ((name, draft), (current.name, current.draft))
    )
    merged, conflicts = mine, [""]
    if error.base is not None:
        base = {**with_defaults(error.base["draft"]), "name": error.base["name"]}
        merged, conflicts = merge(base, mine, theirs)
    who, at = last_change("campaign", current.pk, verbs=WRITES)
    parts = {part: value for part, value in merged.items() if part != "name"}
    return MergedDraft(
        name=merged["name"], draft={**draft, **parts}, who=who, at=at, revision=current.revision,
        conflicts=[row for pointer, row in _places(theirs, mine) if _is_in(pointer, conflicts)],
        taken=[(words, value) for _pointer, (words, value, _mine) in _places(merged, mine)],
    )  # fmt: skip


def _places(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Row]]:
    """Places at which two sides differ: pointers, words, and what stands there on either."""
    places = [(pointer, place_words(pointer), *values) for pointer, *values in differing(one, other)]
    if one["name"] != other["name"]:
        places.insert(0, (NAME, str(FIELDS["name"]), one["name"], other["name"]))
    return [
        (pointer, (words, value_text(pointer, first), value_text(pointer, second)))
        for pointer, words, first, second in places
    ]


def _is_in(pointer: str, places: Sequence[str]) -> bool:
    return any(pointer == place or pointer.startswith(f"{place}/") for place in places)
