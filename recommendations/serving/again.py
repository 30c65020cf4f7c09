"""A past answer made again of the same model, weights, rules, catalogue and state, and compared with the old one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache, partial

import msgspec
import numpy as np
from django.utils import timezone

from recommendations.models import Artefact, BlendWeights, Category, RuleBook, Segment, Slate
from recommendations.serving.answer_record import BasisRecord, RequestRecord, StateRecord, page_ids
from recommendations.serving.page import prepare_page, share_out
from recommendations.serving.pipeline import complete, prepare
from recommendations.serving.serve import resolve
from recommendations.serving.types import Answer, Request, ResolvedRequest
from recommendations.store.live.state import NOTHING, UNKNOWN, LiveState
from recommendations.store.models.artefacts import ArtefactDamagedError
from recommendations.store.models.model import Model, load_model
from recommendations.store.process_held import ProcessHeld
from recommendations.store.serving.answer_parts import content_of
from recommendations.store.serving.served_audiences import ServedAudiences
from recommendations.store.serving.served_rules import ServedRules
from recommendations.store.serving.snapshot import Names, ServedWeights, Snapshot, WeightsKey
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.store.serving.stock import Stock
from recommendations.store.serving.stock_at import StockThen, stock_at
from recommendations.terms import BlendName, Cut

ROUNDING = 1e-6
"""How far scores may lie apart where another processor added them up."""


class Missing(StrEnum):
    """Why an answer cannot be made again, or not for certain."""

    MODEL_GONE = "model_gone"  # its files are no longer kept
    EXPIRED = "expired"  # what it was made of is forgotten
    NAMELESS = "nameless"  # nothing about the customer was kept, as it must be
    ERASED = "erased"  # the customer's state is gone
    CATALOGUE_UNKNOWN = "catalogue_unknown"  # it was changed outside the trail
    STATE_UNKNOWN = "state_unknown"  # neither Valkey nor PostgreSQL could be asked
    PAGE_INCOMPLETE = "page_incomplete"  # the slate of another slot is not there


class Sameness(StrEnum):
    EXACT = "exact"  # bit for bit
    ROUNDING = "rounding"  # the same items in the same order, scores within rounding
    DIFFERENT = "different"


class CannotMakeError(Exception):
    """An answer cannot be made again: ``missing`` says why, ``model`` of which."""

    def __init__(self, missing: Missing, *, model: int | None = None) -> None:
        super().__init__(missing)
        self.missing, self.model = missing, model


@dataclass(frozen=True, kw_only=True)
class Instead:
    """What stands in place of what an answer was made of; None: as it was."""

    model: int | None = None
    weights: int | None = None  # key of a version
    rules: int | None = None  # number of a book
    stock_now: bool = False
    state: LiveState | None = None


@dataclass(frozen=True, kw_only=True)
class Again:
    """An answer made again; ``differences`` are places, from 0, that show another item."""

    slate: Slate
    answer: Answer
    sameness: Sameness
    differences: Sequence[int]
    missing: Sequence[Missing]
    basis: BasisRecord


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What an answer was made of, as it is stored."""

    basis: BasisRecord
    request: RequestRecord
    state: StateRecord | None


def again(slate: Slate, *, instead: Instead | None = None) -> Again:
    """Make the answer of a slate again, by the functions that serve. Raises CannotMakeError."""
    parts, wanted = _parts_of(slate), instead or Instead()
    state, missing = _state(slate, parts, wanted)
    stock = stock_at(slate.served_at, mark=parts.basis.catalogue)
    if not stock.certain:
        missing.append(Missing.CATALOGUE_UNKNOWN)
    answer = _answer(slate, parts, wanted, stock=stock, state=state)
    differences = [
        place
        for place in range(max(len(slate.items), len(answer.shown)))
        if place >= len(slate.items) or place >= len(answer.shown) or slate.items[place] != answer.shown[place].item
    ]
    return Again(
        slate=slate, answer=answer, sameness=_sameness(slate, answer), differences=differences, missing=missing,
        basis=parts.basis,
    )  # fmt: skip


def kept_model(version: int | None) -> Model | None:
    """The model of a version; None for None. Raises CannotMakeError where its files are gone."""
    if version is None:
        return None
    held = snapshot_holder().snapshot
    if held is not None and held.model is not None and held.model.version_id == version:
        return held.model
    if not Artefact.objects.filter(version=version, cut=Cut.LIVE).exists():
        raise CannotMakeError(Missing.MODEL_GONE, model=version)
    try:
        return past_models()(version)
    except ArtefactDamagedError as error:
        raise CannotMakeError(Missing.MODEL_GONE, model=version) from error


past_models = ProcessHeld(lambda: lru_cache(maxsize=2)(partial(load_model, cut=Cut.LIVE)))


def _parts_of(slate: Slate) -> _Parts:
    if slate.basis is None:
        raise CannotMakeError(Missing.EXPIRED)
    if slate.request is None:
        raise CannotMakeError(Missing.NAMELESS)
    basis, request = content_of("basis", slate.basis), content_of("request", slate.request)
    if basis is None or request is None:
        raise CannotMakeError(Missing.EXPIRED)
    state = content_of("state", slate.state) if slate.state else None
    if slate.state is not None and state is None:
        raise CannotMakeError(Missing.ERASED if slate.customer_id is None else Missing.EXPIRED)
    return _Parts(
        basis=msgspec.json.decode(basis, type=BasisRecord),
        request=msgspec.json.decode(request, type=RequestRecord),
        state=None if state is None else msgspec.msgpack.decode(state, type=StateRecord),
    )


def _state(slate: Slate, parts: _Parts, instead: Instead) -> tuple[LiveState, list[Missing]]:
    if instead.state is not None:
        return instead.state, []
    if parts.state is not None:
        return parts.state.state, []
    return (NOTHING, []) if slate.customer_id is None else (UNKNOWN, [Missing.STATE_UNKNOWN])


def _answer(slate: Slate, parts: _Parts, instead: Instead, *, stock: StockThen, state: LiveState) -> Answer:
    whole = _snapshot(parts, instead, stock=stock.stock, customer=slate.customer_id)
    if parts.request.page is None:
        request = _resolved(parts.request.request, slate.recommendation_id, slate, whole)
        return complete(prepare(request, snapshot=whole, state=state, now=slate.served_at))
    return _of_page(slate, parts, instead, whole=whole, state=state)


def _of_page(slate: Slate, parts: _Parts, instead: Instead, *, whole: Snapshot, state: LiveState) -> Answer:
    """The answer of a slot of a page, which depends on those of the others."""
    ids = page_ids(slate.recommendation_id, len(parts.request.slots))
    siblings = Slate.objects.filter(served_at=slate.served_at, recommendation_id__in=ids).in_bulk(
        [(slate.served_at, own) for own in ids]
    )
    requests, snapshots = [], []
    for own, (placement, n) in zip(ids, parts.request.slots, strict=True):
        sibling = siblings.get((slate.served_at, own))
        if sibling is None:
            raise CannotMakeError(Missing.PAGE_INCOMPLETE)
        theirs = _parts_of(sibling)
        request = replace(theirs.request.request, placement=placement, n=n)
        snapshots.append(_under(whole, theirs, instead))
        requests.append(_resolved(request, own, slate, whole))
    slots = prepare_page(requests, snapshots=snapshots, state=state, now=slate.served_at)
    return share_out(slots)[ids.index(slate.recommendation_id)]


def _resolved(request: Request, own: str, slate: Slate, snapshot: Snapshot) -> ResolvedRequest:
    return resolve(request, stock=snapshot.stock, customer=slate.customer_id, recommendation_id=own)


def _snapshot(parts: _Parts, instead: Instead, *, stock: Stock, customer: int | None) -> Snapshot:
    """The snapshot of then, as far as one customer's answer asks it."""
    members = {key: np.array([customer], np.int64) for key in (parts.state.audiences if parts.state else ())}
    bare = Snapshot(
        stock=stock,
        model=kept_model(instead.model or parts.basis.model),
        placements={},
        pages={},
        weights={},
        rules=ServedRules.nothing(stock, read_at=timezone.now()),
        names=_names(),
        customers={},
        objectors=frozenset(),
        audiences=ServedAudiences(members=members),
        changed=None,
        read_at=timezone.now(),
    )
    return _under(bare, parts, instead)


def _under(snapshot: Snapshot, parts: _Parts, instead: Instead) -> Snapshot:
    """The snapshot with the placement, the weights and the book of an answer."""
    basis = parts.basis
    keys = [instead.weights or basis.weights, basis.visit_weights]
    rows = BlendWeights.objects.filter(pk__in=[key for key in keys if key]).select_related(
        "blend", "segment", "audience"
    )
    number = basis.rules if instead.rules is None else instead.rules
    book = RuleBook.objects.filter(number=number).first() if number else None
    return replace(
        snapshot,
        placements={basis.placement.name: basis.placement},
        weights={WeightsKey.of(BlendName(row.blend.name), row.group): ServedWeights.of(row) for row in rows},
        rules=snapshot.rules.with_book(book.rules if book else (), version=number),
    )


def _names() -> Names:
    categories = Category.objects.values_list("pk", "path", "name")
    return Names(
        categories={key: (path, name) for key, path, name in categories},
        segments={segment.number: str(segment) for segment in Segment.objects.all()},
    )


def _sameness(slate: Slate, answer: Answer) -> Sameness:
    if [shown.item for shown in answer.shown] != slate.items:
        return Sameness.DIFFERENT
    pairs = [
        ([shown.score for shown in answer.shown], slate.scores),
        ([shown.propensity for shown in answer.shown], slate.propensities),
    ]
    if all(made == stored for made, stored in pairs):
        return Sameness.EXACT
    close = all(np.allclose(made, stored, rtol=0, atol=ROUNDING) for made, stored in pairs)
    return Sameness.ROUNDING if close else Sameness.DIFFERENT
