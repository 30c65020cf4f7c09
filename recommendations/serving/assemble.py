"""The items of an answer as they are shown: what was chosen of the pool, and what fills the slots that are left."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import IntArray
from recommendations.engine.ranking.explain import speakers
from recommendations.engine.ranking.rules import of_kind
from recommendations.engine.ranking.selection import NOTHING, CatalogueState, Selection, SelectionParams, eligibility
from recommendations.engine.ranking.slots import Cap
from recommendations.engine.ranking.variants import one_tile_each
from recommendations.serving.candidate_choice import ChosenCandidates
from recommendations.serving.candidates import CandidatePool
from recommendations.serving.explain import Explainer
from recommendations.serving.fallback import Backfilled, FallbackSource, backfill
from recommendations.serving.leaning import parts_of
from recommendations.serving.types import Shown, ShownReason
from recommendations.terms import RuleAction, Source


def shown_items(
    selection: Selection | None,
    chosen: ChosenCandidates,
    *,
    explainer: Explainer,
    catalogue: CatalogueState,
    params: SelectionParams,
    fallbacks: Iterable[FallbackSource],
) -> tuple[list[Shown], Mapping[Source, int]]:
    """Items of the answer in order, and how many of them are fillers, by source; rows of the selection are the stock's.

    A pinned item keeps its slot where the pool ends before it: fillers, from ``fallbacks``, stand between.
    """
    rows = selection.items if selection else NOTHING
    rest = _rest(fallbacks, catalogue, params, but=rows) if len(rows) < params.n else []
    if not rest:
        return _selected(selection, chosen, explainer, params, ranks=range(1, len(rows) + 1)) if selection else [], {}
    slots = selection.slots if selection else np.arange(0)
    free = np.setdiff1d(np.arange(params.n), slots)[: len(rest)]
    ranks = (np.argsort(np.argsort(np.concatenate([slots, free]))) + 1).tolist()
    shown = _selected(selection, chosen, explainer, params, ranks=ranks[: len(rows)]) if selection else []
    shown += _filling(rest, explainer, ranks=ranks[len(rows) :])
    return sorted(shown, key=lambda one: one.rank), Counter(source for _, source in rest)


def _rest(
    fallbacks: Iterable[FallbackSource], catalogue: CatalogueState, params: SelectionParams, *, but: IntArray
) -> list[Backfilled]:
    """Fillers for the slots that are left; rules that exclude, include only and cap are kept."""
    every = np.arange(len(catalogue.sellable), dtype=np.int32)
    open_, _ = eligibility(every, catalogue=catalogue, params=params)
    open_[but] = False
    caps = [Cap(rule, every) for rule in of_kind(params.rules, RuleAction.CAP)]
    if catalogue.families is not None:
        caps.append(one_tile_each(catalogue.families))
    for cap in caps:
        for row in but.tolist():
            cap.take(row)
    return backfill(fallbacks, open_=open_, n=params.n - len(but), caps=caps)


def _selected(
    selection: Selection,
    chosen: ChosenCandidates,
    explainer: Explainer,
    params: SelectionParams,
    *,
    ranks: Sequence[int],
) -> list[Shown]:
    products = explainer.snapshot.stock.products
    items = explainer.rows_of_model(selection.items)
    own = parts_of(selection, chosen, items)
    names = [*own, *map(str, selection.lifted)]
    whole = np.vstack([*own.values(), *selection.lifted.values(), np.empty((0, len(selection.items)))]).T
    parts = whole.tolist()
    times = None if params.ignored is None else params.ignored.times_of(selection.items)
    ignored = [0] * len(selection.items) if times is None else times.tolist()
    reasons, rules = _reasons(items, chosen.pool, explainer, names, whole), _rules(selection, params)
    return [
        Shown(
            item=products[row].item,
            product=products[row],
            rank=ranks[place],
            score=float(selection.score[place]),
            final=float(selection.final[place]),
            contributions={name: part for name, part in zip(names, parts[place], strict=True) if part},
            fatigue=float(selection.fatigue[place]),
            ignored=ignored[place],
            boosts={key: float(added[place]) for key, added in selection.boosts.items() if added[place]},
            diversity=float(selection.diversity[place]),
            rules=tuple(rules[place]),
            reasons=explainer.of_fallback(Source.NEWEST, row) if place == selection.promised else reasons[place],
            propensity=float(selection.propensity[place]),
            place=int(selection.places[place]),
            fixed=place in selection.fixed,
            source=chosen.source,
            promised=place == selection.promised,
        )
        for place, row in enumerate(selection.items.tolist())
    ]


def _rules(selection: Selection, params: SelectionParams) -> list[list[int]]:
    """Keys of the rules that acted on each item, in the order of the book."""
    acted: list[list[int]] = [[] for _ in selection.items]
    for rule in params.rules:
        if rule.key in selection.touched:
            for place in np.flatnonzero(selection.touched[rule.key]).tolist():
                acted[place].append(rule.key)
    return acted


def _reasons(
    items: IntArray,
    pool: CandidatePool | None,
    explainer: Explainer,
    names: Sequence[str],
    parts: NDArray[np.float64],
) -> list[tuple[ShownReason, ...]]:
    """Reasons of each item, a row of the model; nothing speaks for one that is only pinned."""
    if pool is None or explainer.candidates is None:
        return [() for _ in items]
    speaking = speakers(names, parts)
    told = [explainer.of_pool(pool, item, own) for item, own in zip(items.tolist(), speaking, strict=True)]
    pool.forget()
    return told


def _filling(rest: Sequence[Backfilled], explainer: Explainer, *, ranks: Sequence[int]) -> list[Shown]:
    """Fillers as shown items: without a score of their own, in the order of their fallback sources."""
    products = explainer.snapshot.stock.products
    return [
        Shown(
            item=products[row].item,
            product=products[row],
            rank=rank,
            score=0.0,
            final=0.0,
            contributions={},
            reasons=explainer.of_fallback(source, row),
            propensity=1.0,
            source=source,
        )
        for rank, (row, source) in zip(ranks, rest, strict=True)
    ]
