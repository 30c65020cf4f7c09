"""Answers of the past as arrays: what was ranked, what was shown, and what a draft would have ranked instead."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.experiments.attention import SlotCounts
from recommendations.engine.experiments.off_policy import (
    LoggedAnswers,
    Orders,
    Rankings,
    attention_wanted,
    own_order,
)
from recommendations.engine.experiments.relevance import relevance_features
from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ranking.exploration import chances
from recommendations.terms import Way

type Values = NDArray[np.float64]


@dataclass(frozen=True)
class ExploredForm:
    """What chances of exploration depend on; ``at`` are the slots of the answer that show ranked items, ascending."""

    ranked: int
    at: tuple[int, ...]
    fixed: tuple[int, ...]  # places that rules hold
    shuffled: float
    cards: float

    def chances(self, shape: tuple[int, int]) -> Values:
        """Chances of each place to stand in each slot, with nothing where this form has neither [ranked, slots]."""
        table, shown = np.zeros(shape), len(self.at)
        held = self.fixed if self.shuffled or self.cards else ()
        own = chances(shown, held, shuffled=self.shuffled, cards=self.cards, ranked=self.ranked)
        table[: self.ranked, list(self.at)] = own
        return table


@dataclass(frozen=True, kw_only=True, eq=False)
class PastChoice:
    """An answer that was given and seen, and its candidates ranked by the weights of then, of a draft and of now.

    Items are rows; ``z`` [instances, candidates] are the standardised scores of ``candidates``, under which every
    ranked item stands that a recommender scored.
    """

    customer: int  # one without a name has a number of its own
    version: int  # of the weights that answered
    way: Way
    form: ExploredForm
    ranking: IntArray
    draft: IntArray
    live: IntArray
    places: Sequence[int]  # by slot: place in the ranking of what it showed, −1 where it was filled up
    clicks: Values  # [slots]
    revenue: Values  # [slots]
    candidates: IntArray
    instances: tuple[str, ...]
    z: FloatArray
    bought: IntArray  # items of the basket that the answer was replayed with

    def items(self) -> IntArray:
        """Its items: those of its ranking, and behind them such that only the draft, or what is live, ranks."""
        others = [rows[~np.isin(rows, self.ranking)] for rows in (self.draft, self.live)]
        return np.concatenate([self.ranking, others[0], others[1][~np.isin(others[1], others[0])]]).astype(np.int32)


@dataclass(frozen=True, kw_only=True, eq=False)
class PastArrays:
    """Past choices as an estimate takes them. ``plain`` counts those that tell attention: all but cards."""

    logged: LoggedAnswers
    rankings: Rankings
    plain: SlotCounts
    revenue: Values  # [answers, slots]
    bought: NDArray[np.bool_]  # [answers, items]


def past_arrays(choices: Sequence[PastChoice]) -> PastArrays:
    """Lay choices side by side; there is at least one."""
    items = [choice.items() for choice in choices]
    slots = max(len(choice.places) for choice in choices)
    forms = {form: number for number, form in enumerate(dict.fromkeys(choice.form for choice in choices))}
    shape = (max(1, *(form.ranked for form in forms)), slots)
    width = max(shape[0], *map(len, items))
    places = _side_by_side([np.asarray(choice.places) for choice in choices], slots, missing=-1)
    clicks = _side_by_side([choice.clicks for choice in choices], slots, missing=0.0)
    drafts, lives = (
        _side_by_side([_numbered(getattr(choice, name), own) for choice, own in zip(choices, items, strict=True)],
                      shape[0], missing=-1)
        for name in ("draft", "live")
    )  # fmt: skip
    stays = all(np.array_equal(choice.live, choice.ranking) for choice in choices)
    plain = np.array([choice.way is not Way.CARDS for choice in choices])
    versions = np.array([choice.version for choice in choices])
    return PastArrays(
        logged=LoggedAnswers(
            places=places,
            clicks=clicks,
            customers=np.array([choice.customer for choice in choices]),
            chances=np.stack([form.chances(shape) for form in forms]),
            form=np.array([forms[choice.form] for choice in choices]),
            features=_features(choices, items, width),
        ),
        rankings=Rankings(draft=drafts, live=None if stays else lives),
        plain=SlotCounts.of(places[plain], clicks[plain], versions=versions[plain]),
        revenue=_side_by_side([choice.revenue for choice in choices], slots, missing=0.0),
        bought=_side_by_side(
            [np.isin(own, choice.bought) for choice, own in zip(choices, items, strict=True)], width, missing=False
        ),
    )


def replayed_difference(arrays: PastArrays) -> float:
    """How many more items of its basket an answer would have shown under the draft than under what is live, exactly.

    Both explore as the answers did. In a replay people click whatever of their basket stands in the list, so that these
    are the clicks, and the truth that an estimate is held against.
    """
    logged, rankings = arrays.logged, arrays.rankings
    looked = np.ones(logged.places.shape[1])
    live = own_order(logged) if rankings.live is None else rankings.live
    more = attention_wanted(logged, rankings.draft, looked) - attention_wanted(logged, live, looked)
    return float((more * arrays.bought).sum(axis=1).mean())


def _numbered(rows: IntArray, items: IntArray) -> Orders:
    """Numbers of rows among an answer's items, which hold them all."""
    order = np.argsort(items)
    return order[np.searchsorted(items, rows, sorter=order)]


def _features(choices: Sequence[PastChoice], items: Sequence[IntArray], width: int) -> FloatArray:
    """Features of every item [answers, items, features]; one that nobody scored has only its rank."""
    names = sorted({name for choice in choices for name in choice.instances})
    column = {name: number for number, name in enumerate(names)}
    z = np.zeros((len(choices), width, len(names)), np.float32)
    for row, (choice, own) in enumerate(zip(choices, items, strict=True)):
        if not len(choice.candidates):
            continue
        order = np.argsort(choice.candidates)
        at = order[np.minimum(np.searchsorted(choice.candidates, own, sorter=order), len(order) - 1)]
        there = np.flatnonzero(choice.candidates[at] == own)
        values = np.nan_to_num(np.asarray(choice.z, np.float32)[:, at[there]])
        z[row, there[:, None], [column[name] for name in choice.instances]] = values.T
    return relevance_features(z, np.broadcast_to(np.arange(width), z.shape[:2]))


def _side_by_side[T: np.generic](rows: Sequence[NDArray[T]], width: int, *, missing: float) -> NDArray[T]:
    """Rows of different lengths as a table, cut to its width."""
    table = np.full((len(rows), width), missing, rows[0].dtype)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row[:width]
    return table
