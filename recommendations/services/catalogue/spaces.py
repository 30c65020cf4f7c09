"""Spaces of vectors as staff see them: whose they are, how many items stand in each, what came of the last request."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.db.models import Count, Q

from recommendations.models import EmbeddingSpace
from recommendations.services.catalogue.quality import on_sale
from recommendations.store.live.array_cache import Arrays, cached
from recommendations.store.models.artefacts import load_arrays
from recommendations.store.models.model import SPACE_ENDS, SPACES, spaces_of
from recommendations.terms import Cut
from recommendations.vector_terms import VectorProvider

ALL_ALIKE = 0.98
"""Mean cosine of two items from which on a space says nearly the same of every item."""


@dataclass(frozen=True, kw_only=True)
class SpaceState:
    """A space; ``items``: on sale, with a vector; ``sameness``: mean cosine of two items, None before a run."""

    space: EmbeddingSpace
    items: int
    share: float  # of the items on sale
    sameness: float | None

    @property
    def percent(self) -> float:
        """Share in percent, for a bar."""
        return round(100 * self.share, 2)

    @property
    def is_all_alike(self) -> bool:
        return self.sameness is not None and self.sameness >= ALL_ALIKE


@dataclass(frozen=True, kw_only=True)
class OutsideVectors:
    """Vectors from outside; ``awaited``: a service is set and was not asked yet."""

    spaces: list[SpaceState]
    awaited: bool


def outside_vectors(version: int | None) -> OutsideVectors | None:
    """The spaces, with what the live version made of them; None where there are none and no service is set."""
    on_sale_too = Count("vectors", filter=Q(vectors__item__retired_at=None))
    rows = list(EmbeddingSpace.objects.annotate(items=on_sale_too).order_by("name"))
    awaited = bool(settings.EMBEDDING_URL) and not any(row.provider == VectorProvider.HTTP for row in rows)
    if not rows:
        return OutsideVectors(spaces=[], awaited=True) if awaited else None
    listed, alike = on_sale().count(), _sameness(version)
    states = [
        SpaceState(
            space=row,
            items=row.items,
            share=row.items / listed if listed else 0.0,
            sameness=alike.get(row.name),
        )
        for row in rows
    ]
    return OutsideVectors(spaces=states, awaited=awaited)


def _sameness(version: int | None) -> Mapping[str, float]:
    """Mean cosine of two items in each space of a version."""
    if version is None:
        return {}
    counted = cached(f"sameness:{version}", lambda: _counted_sameness(version))
    return dict(zip(counted["spaces"].tolist(), counted["sameness"].tolist(), strict=True))


def _counted_sameness(version: int) -> Arrays:
    """Sameness is (|Σ v|² − n) / n (n − 1) of n unit vectors v."""
    arrays = load_arrays(version, Cut.LIVE, prefix=("catalogue/vectors", SPACES, SPACE_ENDS))
    spaces, sameness = spaces_of(arrays), []
    for space in spaces:
        vectors = arrays["catalogue/vectors"][:, space.first : space.last].astype(np.float32)
        n, total = int(np.count_nonzero(vectors.any(axis=1))), vectors.sum(axis=0, dtype=np.float64)
        sameness.append(float(total @ total - n) / max(n * (n - 1), 1))
    return {"spaces": np.array([space.name for space in spaces], np.str_), "sameness": np.array(sameness)}
