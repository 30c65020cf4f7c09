"""Answers of whole pages on the test cut, singly and together. Import it once Django is set up."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils import timezone
from scipy import sparse

from recommendations.engine.evaluation.accuracy import judge, ndcg
from recommendations.engine.evaluation.intervals import Measure, differences, measures, resamples
from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import IntArray, Sparse
from recommendations.engine.rng import generator
from recommendations.serving.page import prepare_page, requests_of, share_out
from recommendations.serving.pipeline import complete, prepare
from recommendations.serving.types import Answer, PageRequest, Request, ResolvedRequest
from recommendations.store.live.state import NOTHING
from recommendations.store.models.model import Model, load_truths
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import Cut, Task

HOME, SIMILAR = PAGES = ("home", "item")  # the second is a placement, too


class NothingToMeasureError(Exception):
    """There is no live model, or nobody bought in its test window."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Figures of a page asked in one way; ``gain`` is paired, against the placements asked singly."""

    page: str
    asked: str
    customers: int
    items: float  # different ones on a page, the mean
    twice: int  # places that show what stands on the page already, of all customers
    short: int  # slots that are not full
    ndcg: Measure  # of the page as one list
    gain: Measure | None
    of_kind: float | None  # share of *Similar* with a category of the item in view
    cpu_ms: float  # of a page


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A customer of the test window, by the row of the truth, and the item in view (row of the model; −1: none)."""

    place: int
    in_view: int


def measured(*, customers: int, seed: int) -> Iterator[Row]:
    """Rows of both pages. Raises NothingToMeasureError."""
    snapshot = snapshot_holder().as_tested(None)
    if snapshot.model is None:
        raise NothingToMeasureError("there is no live model here")
    truth = load_truths(snapshot.model.version_id, Cut.TEST)[Task.HOME]
    if not len(truth.users):
        raise NothingToMeasureError("nobody bought anything in the test window")
    for page in PAGES:
        visits = _visits(truth, page, customers=customers, seed=seed)
        yield from _rows(snapshot, snapshot.model, truth, page, visits)


def _visits(truth: Truth, page: str, *, customers: int, seed: int) -> list[Visit]:
    """Customers drawn by the seed, on the page of an item those who bought that and something else."""
    draw, counts = generator(seed, f"page {page}"), np.diff(truth.per_user.indptr)
    fitting = np.flatnonzero(counts > (page != HOME))
    drawn = np.sort(draw.permutation(fitting)[:customers])
    starts = truth.per_user.indptr[drawn]
    chosen = truth.per_user.indices[starts + draw.integers(counts[drawn])]
    views = [-1] * len(drawn) if page == HOME else chosen.tolist()
    return [Visit(place=place, in_view=view) for place, view in zip(drawn.tolist(), views, strict=True)]


def _rows(snapshot: Snapshot, model: Model, truth: Truth, page: str, visits: Sequence[Visit]) -> Iterator[Row]:
    bought = _bought(truth, visits)
    sizes = [slot.n or snapshot.placements[slot.placement].n for slot in snapshot.pages[page]]
    requests = [_requests(snapshot, model, truth, page, visit) for visit in visits]
    pages, cpu = _answered(requests, snapshot)
    drawn, first = resamples(len(visits), seed=0), None
    for asked, answers in pages.items():
        lists = [[shown.item for answer in one for shown in answer.shown] for one in answers]
        ranked = _once(lists, model)
        scores = ndcg(judge(ranked, bought), ranked.shape[1])[:, None]
        yield Row(
            page=page,
            asked=asked,
            customers=len(visits),
            items=float(np.mean([len(set(items)) for items in lists])),
            twice=sum(len(items) - len(set(items)) for items in lists),
            short=sum(len(slot.shown) < n for one in answers for slot, n in zip(one, sizes, strict=True)),
            ndcg=measures(scores, drawn)[0],
            gain=None if first is None else differences(scores, first, drawn)[0],
            of_kind=_of_kind(snapshot, model, answers, visits) if page == SIMILAR else None,
            cpu_ms=1_000 * cpu[asked] / len(visits),
        )
        first = scores


def _bought(truth: Truth, visits: Sequence[Visit]) -> Sparse:
    """What each customer bought in the window, but for the item in view, which is not to be found."""
    bought = sparse.csr_matrix(truth.per_user[[visit.place for visit in visits]], copy=True)
    rows = np.repeat(np.arange(len(visits)), np.diff(bought.indptr))
    bought.data[bought.indices == np.array([visit.in_view for visit in visits])[rows]] = 0
    bought.eliminate_zeros()
    return bought


def _answered(
    requests: Sequence[Sequence[ResolvedRequest]], snapshot: Snapshot
) -> tuple[Mapping[str, list[list[Answer]]], Mapping[str, float]]:
    """Pages asked in both ways, and the processor seconds of each way; they take turns in who is first."""
    ways = {"singly": _singly, "together": _together}
    pages: dict[str, list[list[Answer]]] = {name: [] for name in ways}
    cpu = dict.fromkeys(ways, 0.0)
    for number, page in enumerate(requests):
        for name in sorted(ways, reverse=bool(number % 2)):
            began = time.process_time()
            pages[name].append(ways[name](page, snapshot))
            cpu[name] += time.process_time() - began
    return pages, cpu


def _requests(snapshot: Snapshot, model: Model, truth: Truth, page: str, visit: Visit) -> list[ResolvedRequest]:
    wished = PageRequest(name=page, shared=Request(placement=""))
    return [
        ResolvedRequest(
            placement=request.placement,
            n=request.n,
            customer=int(model.users.ids[truth.users[visit.place]]),
            context_items=() if visit.in_view < 0 else (int(model.items.ids[visit.in_view]),),
            explore=False,
        )
        for request in requests_of(wished, snapshot)
    ]


def _singly(requests: Sequence[ResolvedRequest], snapshot: Snapshot) -> list[Answer]:
    now = timezone.now()
    return [complete(prepare(request, snapshot=snapshot, state=NOTHING, now=now)) for request in requests]


def _together(requests: Sequence[ResolvedRequest], snapshot: Snapshot) -> list[Answer]:
    return share_out(prepare_page(requests, snapshots=[snapshot] * len(requests), state=NOTHING, now=timezone.now()))


def _once(lists: Sequence[Sequence[int]], model: Model) -> IntArray:
    """Rows of the model, −1 for an item that stands on the page already or that the model does not know."""
    ranked = np.full((len(lists), max(map(len, lists))), -1, np.int32)
    for number, items in enumerate(lists):
        for place, item in enumerate(items):
            if item not in items[:place]:
                ranked[number, place] = model.items.row(item)
    return ranked


def _of_kind(snapshot: Snapshot, model: Model, pages: Sequence[Sequence[Answer]], visits: Sequence[Visit]) -> float:
    column, kinds = snapshot.stock.column("kind"), list(snapshot.stock.kinds)

    def categories(item: int) -> set[Any]:
        kind: Any = kinds[int(column[snapshot.stock.ids.row(item)])]
        return set(kind)

    same = [
        bool(categories(shown.item) & categories(int(model.items.ids[visit.in_view])))
        for answers, visit in zip(pages, visits, strict=True)
        for answer in answers
        if answer.placement == SIMILAR
        for shown in answer.shown
    ]
    return float(np.mean(same))
