"""Where data about people are held: what, why, for how long, and about how much."""

from dataclasses import dataclass

from django.utils.functional import Promise

from recommendations.privacy_terms import HolderCode
from recommendations.services.privacy.holders import rows_of_holders
from recommendations.wording.privacy import labels as privacy_labels
from recommendations.wording.privacy.words import HOLDER_WORDS


@dataclass(frozen=True, kw_only=True)
class HeldPlace:
    """A place in words; ``rows`` are about those of everybody, None where nothing is known."""

    words: str | Promise
    what: Promise
    purpose: Promise
    retention: Promise
    rows: int | None


def held_places() -> list[HeldPlace]:
    """All places, in the order in which they are erased."""
    names, rows = dict(privacy_labels.HOLDERS), rows_of_holders()
    return [HeldPlace(words=names[code], rows=rows.get(code), **HOLDER_WORDS[code]._asdict()) for code in HolderCode]
