"""What a past answer was made of, as it is stored, and why it may not be enough to make the answer again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

import msgspec

from recommendations.models import Artefact, Slate
from recommendations.serving.answer_record import BasisRecord, RequestRecord, StateRecord, page_ids
from recommendations.store.live.change_watch import HeldOfPeople
from recommendations.store.live.state import NOTHING, UNKNOWN, LiveState
from recommendations.store.models.artefacts import ArtefactDamagedError
from recommendations.store.models.model import Model, load_model
from recommendations.store.serving.answer_parts import TABLES, contents_of
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import Cut


class Missing(StrEnum):
    """Why an answer cannot be made again; the last three: or not for certain."""

    MODEL_GONE = "model_gone"  # its files are no longer kept
    EXPIRED = "expired"  # what it was made of is forgotten
    NAMELESS = "nameless"  # nothing about the customer was kept, as it must be
    ERASED = "erased"  # the customer's state is gone
    PAGE_INCOMPLETE = "page_incomplete"  # the slate of another slot is not there
    MODEL_EDITED = "model_edited"  # people who were erased were taken out of it
    CATALOGUE_UNKNOWN = "catalogue_unknown"  # it was changed outside the trail
    STATE_UNKNOWN = "state_unknown"  # neither Valkey nor PostgreSQL could be asked


class CannotMakeError(Exception):
    """An answer cannot be made again: ``missing`` says why, ``model`` of which version."""

    def __init__(self, missing: Missing, *, model: int | None = None) -> None:
        super().__init__(missing)
        self.missing, self.model = missing, model


@dataclass(frozen=True, kw_only=True)
class PastParts:
    """Basis, request and state of an answer."""

    basis: BasisRecord
    request: RequestRecord
    state: StateRecord | None

    def live(self, customer: int | None) -> LiveState:
        """The live state; it is not known where there should have been one."""
        if self.state is not None:
            return self.state.state
        return NOTHING if customer is None else UNKNOWN


past_models = HeldOfPeople(lambda: lru_cache(maxsize=2)(_past_model))


def parts_of(slate: Slate) -> PastParts:
    """Read the parts of a slate. Raises CannotMakeError."""
    parts = parts_of_all([slate])[slate.recommendation_id]
    if isinstance(parts, Missing):
        raise CannotMakeError(parts)
    return parts


def parts_of_all(slates: Sequence[Slate]) -> dict[str, PastParts | Missing]:
    """Read the parts of slates, or why they are not there, by the id of the answer."""
    keys = {kind: {key for slate in slates if (key := getattr(slate, kind)) is not None} for kind in TABLES}
    contents = {kind: contents_of(kind, own) if own else {} for kind, own in keys.items()}
    return {slate.recommendation_id: _parts(slate, contents) for slate in slates}


def _parts(slate: Slate, contents: Mapping[str, Mapping[UUID, bytes]]) -> PastParts | Missing:
    if slate.basis is None:
        return Missing.EXPIRED
    if slate.request is None:
        return Missing.NAMELESS
    basis, request = contents["basis"].get(slate.basis), contents["request"].get(slate.request)
    if basis is None or request is None:
        return Missing.EXPIRED
    state = contents["state"].get(slate.state) if slate.state else None
    if slate.state is not None and state is None:
        return Missing.ERASED if slate.customer_id is None else Missing.EXPIRED
    return PastParts(
        basis=msgspec.json.decode(basis, type=BasisRecord),
        request=msgspec.json.decode(request, type=RequestRecord),
        state=None if state is None else msgspec.msgpack.decode(state, type=StateRecord),
    )


def slots_of(slate: Slate, parts: PastParts) -> list[tuple[str, PastParts]]:
    """Ids and parts of all answers of the page that a slate is of, in order; of a single answer its own."""
    if parts.request.page is None:
        return [(slate.recommendation_id, parts)]
    ids = page_ids(slate.recommendation_id, len(parts.request.slots))
    rows = Slate.objects.filter(served_at=slate.served_at, recommendation_id__in=ids)
    slates = {row.recommendation_id: row for row in rows}
    if len(slates) < len(ids):
        raise CannotMakeError(Missing.PAGE_INCOMPLETE)
    return [(own, parts if own == slate.recommendation_id else parts_of(slates[own])) for own in ids]


def model_of(version: int | None) -> Model | None:
    """The model of a version; None for None. Raises CannotMakeError where its files are gone."""
    if version is None:
        return None
    held = snapshot_holder().snapshot
    if held is not None and held.model is not None and held.model.version_id == version:
        return held.model
    there = Artefact.objects.filter(version=version, cut=Cut.LIVE)
    edition = there.values_list("version__edition", flat=True).first()
    if edition is None:
        raise CannotMakeError(Missing.MODEL_GONE, model=version)
    try:
        return past_models()(version, edition)
    except ArtefactDamagedError as error:
        raise CannotMakeError(Missing.MODEL_GONE, model=version) from error


def _past_model(version: int, _edition: int) -> Model:
    return load_model(version, Cut.LIVE)
