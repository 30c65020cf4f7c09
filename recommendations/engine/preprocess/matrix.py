"""Training set of the clean events before a cut (``maths.md`` §1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from recommendations.domains.goods import GOODS
from recommendations.domains.protocol import Domain
from recommendations.engine.frames import (
    COLUMNS,
    BoolArray,
    Catalogue,
    FloatArray,
    IntArray,
    Interactions,
    Sparse,
    TrainingSet,
)
from recommendations.engine.ids import IdMap, id_map
from recommendations.engine.preprocess.change_points import lessened
from recommendations.engine.preprocess.links import Follows
from recommendations.event_types import EventName

NEW_DAYS = 28.0

DEFAULT_POINTS: Mapping[str, float] = GOODS.points
"""α per event name. A name that is not listed says nothing about interest; ``dislike_item`` excludes the item."""


@dataclass(frozen=True, kw_only=True)
class EventWeights:
    """How much each kind of act counts, in points that staff edit, and which of them take the item."""

    points: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_POINTS))
    domain: Domain = GOODS

    def __post_init__(self) -> None:
        if not self.points.get(self.domain.unit, 0) > 0:
            raise ValueError(f"{self.domain.unit} is the unit of the event weights: it must have more than 0 points")

    def relative(self, names: pd.Series, shares: NDArray[np.floating]) -> FloatArray:
        """α relative to the unit, one per event.

        A rating counts by its share of the scale (0 … 1), unrated 0; a play by the share that was played, whole where
        nothing is said of that.
        """
        unit = self.points[self.domain.unit]
        strength = names.map({name: points / unit for name, points in self.points.items()}).to_numpy(
            np.float64, copy=True
        )
        rated, played = (names == EventName.RATE_ITEM).to_numpy(), (names == EventName.PLAY).to_numpy()
        if played.any():
            strength = np.where(played, strength * self._played(shares), strength)
        return np.nan_to_num(np.where(rated, strength * shares, strength)).astype(np.float32)

    def takes(self, names: pd.Series, shares: NDArray[np.floating]) -> BoolArray:
        """Whether each event takes its item, as a purchase does."""
        taken: BoolArray = names.isin(self.domain.taken).to_numpy()
        return taken & ((names != EventName.PLAY).to_numpy() | (_whole(shares) >= np.float32(self.domain.taken_from)))

    def _played(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """What a play is worth by the share that was played."""
        share, at_once = _whole(shares), self.domain.played_at_once
        return np.where(share < np.float32(self.domain.least_played), 0.0, at_once + (1 - at_once) * share)


def _whole(shares: NDArray[np.floating]) -> FloatArray:
    """The shares that were played, as exact as events have them; a play of which none is known is a whole one."""
    return np.where(np.isnan(shares), 1.0, shares).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class ItemAttributes:
    """Attributes of the items of the catalogue, one row per item in any order."""

    ids: NDArray[np.int64]
    categories: Sparse  # items × categories, as in ``Catalogue``
    terms: Sparse  # items × terms
    price: FloatArray
    listed_at: NDArray[np.float64]  # days since 1970-01-01 UTC; NaN where unknown
    cost: FloatArray | None = None
    stock: FloatArray | None = None
    texts: Sequence[str] = ()  # all words that the shop says of each; empty: of none
    departments: IntArray | None = None  # of each column of the categories; None: nobody is asked what they changed


@dataclass(frozen=True, kw_only=True)
class TrainingSnapshot:
    """A training set with the ids of its rows; category and term columns are those of its attributes."""

    cut: float
    training: TrainingSet
    users: IdMap
    items: IdMap
    disliked: Sparse  # users × items: days before the cut, plus one, of what a user never wants to see again
    links: Follows | None = None  # who follows whom

    @cached_property
    def bought(self) -> Sparse:
        """Matrix users × items: 1 where the user has bought the item before the cut."""
        acts = self.training.interactions
        matrix = acts.where(acts.bought).matrix()
        matrix.data = np.ones_like(matrix.data)
        return matrix


class ActRows(NamedTuple):
    """Rows of interactions of some customers, whom the part before does not have, with keys in place of numbers."""

    columns: dict[str, NDArray[Any]]
    disliked: pd.DataFrame

    @classmethod
    def of(cls, events: pd.DataFrame, *, cut: float, weights: EventWeights) -> Self:
        """The rows that clean events (``clean.py``) of before the cut make.

        What somebody dislikes is none of them, and is kept with its time.
        """
        past = events[(events["at"].to_numpy() < cut) & (events["item"].to_numpy() >= 0)]
        shares = past["rating"].to_numpy(np.float64)
        strength, takes = weights.relative(past["name"], shares), weights.takes(past["name"], shares)
        disliked = past.loc[(past["name"] == EventName.DISLIKE_ITEM).to_numpy(), ["user", "item", "at"]]
        acts = _without_disliked(past.assign(strength=strength, takes=takes)[strength != 0], disliked)
        return cls(_columns(_per_basket(_played_once(acts), weights.domain), cut=cut), disliked)


def snapshot(
    events: pd.DataFrame, attributes: ItemAttributes, *, cut: float, weights: EventWeights
) -> TrainingSnapshot:
    """Make the training set of everything before the cut, of clean events in one part."""
    return snapshot_of([ActRows.of(events, cut=cut, weights=weights)], attributes, cut=cut)


def snapshot_of(parts: Sequence[ActRows], attributes: ItemAttributes, *, cut: float) -> TrainingSnapshot:
    """Make the training set of everything before the cut; the columns of the parts are spent.

    Users are those with an act that counts; items those with one, and those listed in the 28 days before the cut. An
    act on an item without attributes keeps the item, with empty attributes. What somebody did before they changed their
    departments counts for less.
    """
    new = (attributes.listed_at < cut) & (attributes.listed_at >= cut - NEW_DAYS)
    users = id_map(np.concatenate([np.unique(part.columns["user"]) for part in parts]))
    taken = [np.unique(part.columns["item"]) for part in parts]
    items = id_map(np.concatenate([*taken, attributes.ids[new]]))
    catalogue = _catalogue(attributes, items, cut=cut)
    interactions = _interactions([part.columns for part in parts], users, items)
    if attributes.departments is not None:
        interactions = lessened(interactions, catalogue.departments(attributes.departments))
    return TrainingSnapshot(
        cut=cut,
        training=TrainingSet(interactions=interactions, catalogue=catalogue),
        users=users,
        items=items,
        disliked=_pairs(pd.concat([part.disliked for part in parts], ignore_index=True), users, items, cut=cut),
    )


def _without_disliked(acts: pd.DataFrame, disliked: pd.DataFrame) -> pd.DataFrame:
    if disliked.empty:
        return acts
    pairs = pd.MultiIndex.from_frame(disliked[["user", "item"]])
    return acts[~pd.MultiIndex.from_frame(acts[["user", "item"]]).isin(pairs)]


def _played_once(acts: pd.DataFrame) -> pd.DataFrame:
    """The acts with one play of an item in a session: the one of which most was played, of equal ones the first."""
    played = (acts["name"] == EventName.PLAY).to_numpy()
    if not played.any():
        return acts
    plays = acts[played].sort_values("strength", ascending=False, kind="stable")
    again = plays.index[plays.duplicated(["user", "basket", "item"]).to_numpy()]
    return acts.drop(index=again)


def _per_basket(acts: pd.DataFrame, domain: Domain) -> pd.DataFrame:
    """One row per (user, basket, kind of act, item), sorted so; what a transaction takes back in full leaves no row.

    The row's strength is that of its strongest act and its quantity is Σ α · q in units of it: the product is kept.
    A row is traded where an act in it takes the item, or takes back one that does.
    """
    kinds = list(EventName)
    kind = (
        acts["name"].astype(object).map({name: kinds.index(EventName(name.facts.takes_back or name)) for name in kinds})
    )
    taking_back = acts["name"].isin([name for name in EventName if name.facts.takes_back in domain.taken]).to_numpy()
    traded = acts["takes"].to_numpy() | taking_back
    quantity = np.nan_to_num(acts["quantity"].to_numpy(np.float64), nan=1.0)
    sign = np.where(acts["strength"].to_numpy() < 0, -1.0, 1.0)
    amount = np.nan_to_num(acts["amount"].to_numpy(np.float64))
    frame = pd.DataFrame(
        {
            "user": acts["user"].to_numpy(),
            "basket": acts["basket"].to_numpy(),
            "kind": kind.to_numpy(np.int64),
            "item": acts["item"].to_numpy(),
            "at": acts["at"].to_numpy(),
            "weight": acts["strength"].to_numpy(np.float64) * quantity,
            "amount": np.where(traded, sign * amount, 0),
            "highest": acts["strength"].to_numpy(np.float64),
            "lowest": acts["strength"].to_numpy(np.float64),
            "traded": traded,
        }
    )
    how = {"at": "max", "weight": "sum", "amount": "sum", "highest": "max", "lowest": "min", "traded": "max"}
    rows = frame.groupby(["user", "basket", "kind", "item"], sort=True).agg(how).reset_index()
    rows["strength"] = np.where(rows["weight"] > 0, rows["highest"], rows["lowest"])
    rows["quantity"] = rows["weight"] / rows["strength"]
    return rows[rows["quantity"].abs() > 1e-6]


def _columns(rows: pd.DataFrame, *, cut: float) -> dict[str, NDArray[Any]]:
    """Columns of interactions, with keys of customers and items."""
    return {
        "user": rows["user"].to_numpy(),
        "item": rows["item"].to_numpy(),
        "basket": rows.groupby(["user", "basket", "traded"], sort=True).ngroup().to_numpy().astype(np.int32),
        "age": (cut - rows["at"].to_numpy()).astype(np.float32),
        "quantity": rows["quantity"].to_numpy(np.float32),
        "strength": rows["strength"].to_numpy(np.float32),
        "amount": rows["amount"].to_numpy(np.float32),
        "bought": (rows["traded"] & (rows["strength"] > 0)).to_numpy(np.bool_),
    }


def _interactions(parts: Sequence[dict[str, NDArray[Any]]], users: IdMap, items: IdMap) -> Interactions:
    """The rows of all parts, one column after the other: each is spent as it is joined."""
    n_baskets = np.cumsum([0, *(int(part["basket"].max(initial=-1)) + 1 for part in parts)], dtype=np.int32)
    joined = {
        "user": np.concatenate([users.rows(part.pop("user")) for part in parts]),
        "item": np.concatenate([items.rows(part.pop("item")) for part in parts]),
        "basket": np.concatenate([part.pop("basket") + n for part, n in zip(parts, n_baskets[:-1], strict=True)]),
    }
    for name in [name for name in COLUMNS if name not in joined]:
        joined[name] = np.concatenate([part.pop(name) for part in parts])
    return Interactions(**joined, n_users=len(users), n_items=len(items))


def _catalogue(attributes: ItemAttributes, items: IdMap, *, cut: float) -> Catalogue:
    order = np.argsort(attributes.ids, kind="stable")
    at = IdMap(ids=attributes.ids[order]).rows(items.ids)
    described = at >= 0
    source = order[at[described]]

    def of_items(values: NDArray[np.floating]) -> FloatArray:
        taken = np.full(len(items), np.nan, np.float32)
        taken[described] = values[source]
        return taken

    return Catalogue(
        categories=_sliced(attributes.categories, source, described),
        terms=_sliced(attributes.terms, source, described),
        price=of_items(attributes.price),
        listed_age=of_items(cut - attributes.listed_at),
        cost=None if attributes.cost is None else of_items(attributes.cost),
        stock=None if attributes.stock is None else of_items(attributes.stock),
    )


def _sliced(matrix: Sparse, source: NDArray[np.int64], known: NDArray[np.bool_]) -> Sparse:
    """Rows ``source`` of the matrix at the places that are known, empty rows at the others."""
    chosen = sparse.csr_matrix(matrix[source], dtype=np.float32)
    lengths = np.zeros(len(known), np.int64)
    lengths[known] = np.diff(chosen.indptr)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_matrix((chosen.data, chosen.indices, starts), shape=(len(known), matrix.shape[1]))


def _pairs(disliked: pd.DataFrame, users: IdMap, items: IdMap, *, cut: float) -> Sparse:
    user, item = users.rows(disliked["user"].to_numpy()), items.rows(disliked["item"].to_numpy())
    valid = (user >= 0) & (item >= 0)
    pairs, place = np.unique(np.stack([user[valid], item[valid]], axis=1), axis=0, return_inverse=True)
    newest = np.full(len(pairs), -np.inf)
    np.maximum.at(newest, place, disliked["at"].to_numpy(np.float64)[valid])
    ages = (cut - newest + 1).astype(np.float32)
    return sparse.csr_matrix((ages, (pairs[:, 0], pairs[:, 1])), shape=(len(users), len(items)))
