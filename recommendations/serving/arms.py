"""The arms of experiments under which a request is answered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from recommendations.models import Customer
from recommendations.serving.customer_context import NOBODY, is_unmeasured, objects
from recommendations.serving.types import Request
from recommendations.store.events.pseudonyms import pseudonym_unit
from recommendations.store.live.state import LiveState
from recommendations.store.serving.snapshot import ServedArm, ServedExperiment, Snapshot
from recommendations.terms import CustomerKind

type Arms = tuple[ServedArm, ...]


class UnknownArmError(Exception):
    """A dry run asks for an arm that is not being tested."""


def unit_of(pseudonyms: Sequence[bytes]) -> int | None:
    """Compute the unit of a request: the first 8 bytes of its first pseudonym, signed; None where it names nobody."""
    return pseudonym_unit(pseudonyms[0]) if pseudonyms else None


def arms_of(
    request: Request,
    *,
    snapshot: Snapshot,
    unit: int | None,
    customer: int | None,
    state: LiveState,
    now: datetime,
    page: str | None = None,
) -> Arms:
    """The arms that the person of a request is in, of experiments on its placement, or on the order of the ``page``.

    Who objects to personalisation or to being measured, or is not named, is in none. A dry run may ask for an arm, and
    is under no other; raises UnknownArmError where that is not tested.
    """
    experiments = snapshot.experiments
    if request.experiment is not None:
        return (_asked_for(request.experiment, experiments),)
    touching = [each for each in experiments if _touches(each, request, page)]
    if not touching or unit is None or not request.personalise or _refuses(snapshot, customer, state):
        return ()
    segment, day = _segment(snapshot, customer, state), now.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()
    arms: list[ServedArm] = []
    for experiment in touching:
        if not _admits(experiment, request, segment):
            continue
        if not _reaches(experiment, request, snapshot=snapshot, segment=segment, customer=customer):
            continue
        arm = experiment.arm_of(unit, segment=segment, day=day)
        if arm is not None:
            arms.append(arm)
    return tuple(arms)


def arms_of_customer(
    customer: int | None, placements: Sequence[str], *, snapshot: Snapshot, state: LiveState, now: datetime
) -> list[Arms]:
    """The arms, for each placement, that a customer is in where the shop asks for it by the customer's own id."""
    if customer is None or not snapshot.experiments:
        return [() for _placement in placements]
    person = Customer.objects.only("pseudonym", "kind").get(pk=customer)
    return [
        arms_of(
            named_again(Request(placement=placement), person), snapshot=snapshot,
            unit=unit_of([bytes(person.pseudonym)]), customer=customer, state=state, now=now,
        )
        for placement in placements
    ]  # fmt: skip


def named_again(request: Request, customer: Customer | None) -> Request:
    """A request without ids as if it named the customer, for what depends on whether they are signed in."""
    signed_in = customer is not None and customer.kind == CustomerKind.SIGNED_IN
    return replace(request, user_id="signed in" if signed_in else None)


def _asked_for(wanted: tuple[int, int], experiments: Sequence[ServedExperiment]) -> ServedArm:
    for experiment in experiments:
        for arm in experiment.arms:
            if (experiment.key, arm.position) == wanted:
                return arm
    raise UnknownArmError


def _refuses(snapshot: Snapshot, customer: int | None, state: LiveState) -> bool:
    return objects(customer, snapshot, state) or is_unmeasured(customer, snapshot, state)


def _segment(snapshot: Snapshot, customer: int | None, state: LiveState) -> int:
    model = snapshot.model
    row = snapshot.row_of(customer, anew=state.anew)
    return NOBODY if row == NOBODY or model is None else int(model.segments[row])


def _admits(experiment: ServedExperiment, request: Request, segment: int) -> bool:
    if experiment.segments and segment not in experiment.segments:
        return False
    return experiment.signed_in is None or experiment.signed_in == bool(request.user_id)


def _touches(experiment: ServedExperiment, request: Request, page: str | None) -> bool:
    """Whether it compares something of the request's placement, or the order of the page."""
    if page is None:
        return request.placement in experiment.placements
    return any(page in arm.pages for arm in experiment.arms)


def _reaches(
    experiment: ServedExperiment, request: Request, *, snapshot: Snapshot, segment: int, customer: int | None
) -> bool:
    """Whether weights under test would serve this customer: those of their own audience or segment come first."""
    weighed = experiment.weighed
    placement = snapshot.placements.get(request.placement)
    if not weighed or placement is None or placement.blend is None:
        return True
    audiences = snapshot.audiences.of(customer)
    served = snapshot.weights_for(placement.blend, segment=segment, audiences=audiences)
    return served is None or served.whose in weighed or all(key.blend != placement.blend for key in weighed)


def joined(*groups: Sequence[ServedArm]) -> Arms:
    """The arms of all groups, each once, in the order of the experiments."""
    return tuple(sorted({arm.key: arm for group in groups for arm in group}.values(), key=lambda arm: arm.experiment))
