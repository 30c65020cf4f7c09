"""Exposure of items: how often each is bought, and how many slots it fills, under the live model and weights.

The slots are those of every customer's slates at home and discover: the first candidates by the default weights and the
promotion plan, before stock, rules, repeats and diversity are looked at. Of more than 5,000 customers, 5,000 evenly
spread ones stand for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Max, Q, Subquery
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IdArray, IntArray
from recommendations.engine.ids import IdMap
from recommendations.models import BlendWeights, ModelVersion
from recommendations.store.live.array_cache import Arrays, cached
from recommendations.store.models import model
from recommendations.store.models.artefacts import load_arrays, of_one_edition
from recommendations.store.models.records import load_candidates
from recommendations.terms import BlendName, CatalogueScope, Cut

RANKED = (BlendName.HOME, BlendName.DISCOVER)
MOST_CUSTOMERS = 5_000
SLOTS = 10  # where no placement says how many


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """Exposure of items; ``items`` are the keys of those that the model knows, ascending; other arrays follow them."""

    version: int
    mark: str  # of the model, the weights and the lengths of slates that it was counted with
    items: IdArray
    acts: IntArray  # events that count, of the whole history
    bought: IntArray  # of them purchases
    listed_age: FloatArray  # days since the shop began to sell it, at the end of the history
    ended_at: datetime  # of the history
    customers: IdArray  # keys of those whose slates were ranked
    segments: IntArray  # number of each one's segment, −1 = none
    ranked: Mapping[BlendName, IntArray]  # [customers, slots]: rows of ``items``, −1 = nothing there

    @cached_property
    def slots_at(self) -> Mapping[BlendName, IntArray]:
        """How many slots of each blend's slates every item fills."""
        return {
            blend: np.bincount(rows[rows >= 0], minlength=len(self.items)).astype(np.int32)
            for blend, rows in self.ranked.items()
        }

    @cached_property
    def slots(self) -> IntArray:
        """How many slots of all slates together every item fills."""
        return np.sum([*self.slots_at.values(), np.zeros(len(self.items), np.int32)], axis=0).astype(np.int32)

    def rows(self, items: NDArray[np.integer]) -> IntArray:
        """Row of each item key, −1 for one that the model does not know."""
        return IdMap(ids=self.items).rows(items)


def exposure(version: int | None) -> Exposure | None:
    """Exposure under the live version, which is given by its key; None before the first run."""
    if version is None:
        return None
    ranked = _ranked(version)
    of = "-".join(f"{blend}.{one.weights.pk}.{one.length}" for blend, one in ranked.items())
    mark = f"m{version}.{max((one.edition for one in ranked.values()), default=0)}:{of}"
    arrays = cached(
        f"exposure:{mark}", lambda: of_one_edition(version, lambda _edition: _exposure(version, ranked)), of_people=True
    )
    return Exposure(
        version=version,
        mark=mark,
        ended_at=model.moment(float(arrays["ended"])),
        ranked={blend: arrays[f"ranked_{blend}"] for blend in RANKED if f"ranked_{blend}" in arrays},
        **{name: arrays[name] for name in ("items", "acts", "bought", "listed_age", "customers", "segments")},
    )


@dataclass(frozen=True, kw_only=True)
class _Ranked:
    """Default weights of a blend, and the length of its slates: that of its longest placement.

    ``edition`` is the version's.
    """

    weights: BlendWeights
    length: int
    edition: int


def _ranked(version: int) -> dict[BlendName, _Ranked]:
    longest = Max(
        "blend__placements__n", filter=Q(blend__placements__enabled=True, blend__placements__scope=CatalogueScope.WHOLE)
    )
    rows = BlendWeights.objects.defaults().of_group(None).filter(blend__name__in=RANKED)
    edition = Subquery(ModelVersion.objects.filter(pk=version).values("edition"))
    blends = {
        BlendName(row.blend.name): _Ranked(
            weights=row, length=vars(row)["longest"] or SLOTS, edition=vars(row)["edition"]
        )
        for row in rows.select_related("blend").annotate(longest=longest, edition=edition)
    }
    return {blend: blends[blend] for blend in RANKED if blend in blends}


def _exposure(version: int, ranked: Mapping[BlendName, _Ranked]) -> Arrays:
    ids = load_arrays(version, Cut.LIVE, prefix="ids/")
    items, users = ids["ids/items"], ids["ids/users"]
    acts = load_arrays(version, Cut.LIVE, prefix="interactions/")
    item = acts["interactions/item"]
    drawn = np.linspace(0, len(users) - 1, min(MOST_CUSTOMERS, len(users))).astype(np.int64)
    arrays: dict[str, NDArray[Any]] = {
        "items": items,
        "acts": np.bincount(item, minlength=len(items)).astype(np.int32),
        "bought": np.bincount(item[acts["interactions/bought"]], minlength=len(items)).astype(np.int32),
        "listed_age": load_arrays(version, Cut.LIVE, prefix="catalogue/listed_age")["catalogue/listed_age"],
        "ended": load_arrays(version, Cut.LIVE, prefix="cut")["cut"][0],
        "customers": users[drawn],
        "segments": model.load_segments(version, Cut.LIVE, n_users=len(users))[drawn],
    }
    lifts = model.load_lifts(version, Cut.LIVE)
    for blend, records in load_candidates(version, Cut.LIVE).items():
        if blend in ranked:
            weights = ranked[blend].weights
            arrays[f"ranked_{blend}"] = records.of(drawn).ranked(
                weights.weights, ranked[blend].length, lifts=lifts, exponents=weights.exponents
            )
    return arrays


@dataclass(frozen=True, kw_only=True)
class Acts:
    """Events of one item, a row each, as the live model has them."""

    age: FloatArray  # days before the end of the history
    bought: BoolArray
    user: IntArray  # rows; who did it matters only for counting people


def acts_with(row: int, *, version: int) -> Acts:
    """Events of the item that has this ``row`` in ``Exposure.items``."""
    arrays = load_arrays(version, Cut.LIVE, prefix="interactions/")
    at = np.flatnonzero(arrays["interactions/item"] == row)
    return Acts(**{name: arrays[f"interactions/{name}"][at] for name in ("age", "bought", "user")})
