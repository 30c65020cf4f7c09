"""What is stored of an answer: its slate, and what it was made of, so that the same can be made again.

An answer is a function of the shop's side (the basis), of the request, of what is known of the customer (the state), of
its moment and of its id, which settles what it explores.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from django.conf import settings

from recommendations.serving.pipeline import Prepared
from recommendations.serving.types import Answer, Request
from recommendations.store.live.fetch import RawState, packed, unpacked
from recommendations.store.live.state import LiveState
from recommendations.store.serving.answer_parts import AnswerParts
from recommendations.store.serving.slates import ServedSlate
from recommendations.store.serving.snapshot import ServedPlacement

type Page = tuple[str, Sequence[Request]]
"""The name of a page, and the request of each of its slots, in order."""

_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


class BasisRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The shop's side of an answer; all by primary key but the number of the book."""

    model: int | None
    weights: int | None
    visit_weights: int | None
    rules: int
    placement: ServedPlacement
    catalogue: int  # ``Stock.mark``
    program: str  # version of the code
    arms: list[int]


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request without the ids of its customer; of a slot of a page, with placement and n of all its slots."""

    request: Request
    page: str | None = None
    slots: Sequence[tuple[str, int | None]] = ()


class StateRecord(msgspec.Struct, frozen=True, array_like=True):
    """What was known of a customer: the live state as Valkey tells of it, and the keys of their audiences."""

    live: bytes
    audiences: tuple[int, ...]

    @property
    def state(self) -> LiveState:
        return unpacked(self.live)


def page_ids(first: str, count: int) -> list[str]:
    """Ids of the answers of a page, which differ in the last two hex digits, their place: one tells of all others."""
    return [f"{first[:-2]}{place:02x}" for place in range(count)]


def slate_of(
    answer: Answer, prepared: Prepared, *, request: Request, raw: RawState, page: Page | None = None
) -> ServedSlate:
    """The slate of an answer with its parts; ``request`` is the shop's, ``raw`` the state as Valkey told it.

    Of who must not be known there is neither customer nor request nor state. Time, id, latency and unit are for whoever
    notes it.
    """
    session, customer = prepared.session, prepared.request.customer
    parts = _parts(answer, prepared, request=request, raw=raw, page=page)
    basis_key, request_key, state_key = parts.keys(customer)
    return ServedSlate(
        served_at="",
        recommendation_id="",
        customer_id=None if answer.nameless else customer,
        placement=answer.placement,
        source=answer.source,
        personalised=answer.personalised,
        fallback_reason=answer.fallback_reason or "",
        model_version=answer.model_version,
        weights_version=answer.weights_version,
        visit_weights=session.version if session else None,
        rules_version=answer.rules_version,
        items=[shown.item for shown in answer.shown],
        scores=[shown.score for shown in answer.shown],
        propensities=[shown.propensity for shown in answer.shown],
        places=[shown.place for shown in answer.shown],
        fixed=[slot for slot, shown in enumerate(answer.shown) if shown.fixed],
        way=answer.way,
        arms=[arm.key for arm in answer.arms],
        latency_us=0,
        unit=None,
        basis=basis_key,
        request=request_key,
        state=state_key,
        parts=parts,
    )


def _parts(answer: Answer, prepared: Prepared, *, request: Request, raw: RawState, page: Page | None) -> AnswerParts:
    """Encode what an answer was made of. There is no state where nothing could be known of the customer."""
    basis = _json(_basis(answer, prepared))
    if answer.nameless:
        return AnswerParts(basis=basis)
    own = replace(request, user_id=None, anonymous_id=None)
    record = RequestRecord(request=own)
    if page is not None:
        name, slots = page
        record = RequestRecord(request=own, page=name, slots=[(slot.placement, slot.n) for slot in slots])
    state = None
    if prepared.request.customer is not None and prepared.state.known:
        live = raw.customer if raw.complete else packed(prepared.state)
        state = _pack(StateRecord(live, prepared.customer.audiences))
    return AnswerParts(basis=basis, request=_json(record), state=state)


def _basis(answer: Answer, prepared: Prepared) -> BasisRecord:
    snapshot, session = prepared.snapshot, prepared.session
    return BasisRecord(
        model=answer.model_version,
        weights=prepared.weights.key if prepared.weights else None,
        visit_weights=session.key if session else None,
        rules=answer.rules_version,
        placement=snapshot.placements[answer.placement],
        catalogue=snapshot.stock.mark,
        program=settings.VERSION,
        arms=[arm.key for arm in answer.arms],
    )
