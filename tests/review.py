"""Review of one answer under one look."""

from collections.abc import Sequence
from typing import Any

from recommendations.services.review.review import Look, Review, reviews


def review(
    *, customer: int, placement: str, n: int | None = None, context_items: Sequence[int] = (), **look: Any
) -> Review:
    """Review the answer that is served now, unless the fields of ``Look`` say otherwise."""
    return reviews([Look(**look)], customer=customer, placement=placement, context_items=context_items, n=n)[0]
