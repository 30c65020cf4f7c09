"""The life of an experiment once it runs: pause, resume, widen, stop, and publish what won.

Each step is taken from the state that it needs, under a lock: of two who act at once the second is told what the first
did.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from recommendations.experiment_terms import NoteCode
from recommendations.models import Arm, BlendWeights, Experiment, Placement, RuleBook, ShopPage, Staff
from recommendations.models.experiments import BUCKETS
from recommendations.services.access.audit import needed_note
from recommendations.services.experiments.levers import (
    HELD_IN,
    LeverHolder,
    all_levers,
    free_ranges,
    holders,
    replaced_changes,
)
from recommendations.services.experiments.states import ArmIsOutError, NotInStateError, changed, locked
from recommendations.services.operations.placements import set_placement
from recommendations.services.operations.shop_pages import arrange_page
from recommendations.services.rules.books import lock_rules, serve_book
from recommendations.services.weights.blending import serve_tested
from recommendations.store.models import weight_versions
from recommendations.terms import BlendName, ExperimentKind, ExperimentStatus

RUNNING, PAUSED = ExperimentStatus.RUNNING, ExperimentStatus.PAUSED


class LeverHeldError(Exception):
    """Others have hold of what the experiment would change: ``held``; ``free`` of the traffic, as a share, is left."""

    def __init__(self, held: Sequence[LeverHolder], free: float) -> None:
        super().__init__("; ".join(str(holder.experiment) for holder in held))
        self.held, self.free = held, free


class LiveChangedError(Exception):
    """What an arm would replace is ``live``, and not what the publisher saw."""

    def __init__(self, live: Mapping[str, Any]) -> None:
        super().__init__(f"{live} is served by now")
        self.live = live


def pause(*, experiment: Experiment, by: Staff | None, now: datetime) -> Experiment:
    """Give everybody what is served, until ``resume``; a bandit goes on by the shares that it has.

    Raises NotInStateError.
    """
    code = NoteCode.SHARES_FROZEN if experiment.kind == ExperimentKind.BANDIT else NoteCode.PAUSED
    return _moved(experiment, frm=(RUNNING,), to=PAUSED, verb="pause", code=code, by=by, now=now)


def resume(*, experiment: Experiment, by: Staff | None, now: datetime) -> Experiment:
    """Let a paused experiment go on: everybody is in the arm that they were in. Raises NotInStateError."""
    return _moved(experiment, frm=(PAUSED,), to=RUNNING, verb="resume", code="resumed", by=by, now=now)


def stop(*, experiment: Experiment, by: Staff | None, now: datetime, seen: str | None = None) -> Experiment:
    """End an experiment for good; what came until now stays, and what comes late of its people is added.

    ``seen`` is as for ``locked``. Raises NotInStateError.
    """
    to = ExperimentStatus.STOPPED
    return _moved(experiment, frm=HELD_IN, to=to, verb="stop", code="stopped", by=by, now=now, seen=seen)


@transaction.atomic
def widen(
    *, experiment: Experiment, traffic: float, by: Staff | None, now: datetime, seen: str | None = None
) -> Experiment:
    """Let more of the visitors in, beside those who are in it.

    ``seen`` is as for ``locked``. Raises NotInStateError, LeverHeldError and ValidationError.
    """
    stored = locked(experiment, HELD_IN, seen=seen)
    if not stored.traffic < traffic <= 1:
        raise ValidationError({"traffic": [_("Traffic can be widened, not narrowed: stop it instead.")]})
    levers = all_levers(arm.changes for arm in stored.arms.all())
    wanted, facts = round(traffic * BUCKETS), {"before": stored.traffic, "after": traffic}
    for free in free_ranges(holders(levers, but=stored)):
        if free.start <= stored.range_from and free.stop >= stored.range_to and len(free) >= wanted:
            stored.range_from = max(free.start, min(stored.range_from, free.stop - wanted))
            stored.range_to = stored.range_from + wanted
            stored.save(update_fields=["range_from", "range_to"])
            return changed(stored, "widen", "widened", by=by, now=now, facts=facts)
    held = holders(levers, but=stored)
    raise LeverHeldError(held, sum(map(len, free_ranges(held))) / BUCKETS)


@transaction.atomic
def ship(
    *,
    experiment: Experiment,
    arm: Arm,
    reason: str,
    by: Staff | None,
    now: datetime,
    override: bool = False,
    seen: str | None = None,
    replacing: Mapping[str, Any] | None = None,
) -> Experiment:
    """Publish what an arm serves, for everybody, and end the experiment, in one step.

    ``seen`` is as for ``locked``, ``replacing`` what the publisher saw as ``replaced_changes``; None for a command.
    Raises NotInStateError, ArmIsOutError, LiveChangedError, NoteNeededError, and what publishing weights raises
    (GateClosedError).
    """
    stored = locked(experiment, (*HELD_IN, ExperimentStatus.STOPPED), seen=seen)
    if stored.simulated:
        raise NotInStateError(stored)
    own = stored.arms.get(pk=arm.pk)
    if own.out_at is not None:
        raise ArmIsOutError(own)
    changes = own.changes
    _lock(changes)
    if replacing is not None and replacing != (live := replaced_changes(changes)):
        raise LiveChangedError(live)
    needed_note(reason)
    _publish(changes, reason=reason, by=by, now=now, override=override)
    stored.status, stored.ended_at, stored.ended_by = ExperimentStatus.SHIPPED, stored.ended_at or now, by
    stored.save(update_fields=["status", "ended_at", "ended_by"])
    return changed(stored, "publish", "shipped", by=by, now=now, reason=reason, facts={"arm": arm.position})


def _lock(changes: Mapping[str, Any]) -> None:
    """Let nobody else change what the arm sets until the transaction ends."""
    for name in sorted(changes.get("weights", {})):
        weight_versions.locked(BlendName(name))
    if "rules" in changes:
        lock_rules()
    list(Placement.objects.select_for_update().filter(name__in=changes.get("placements", {})).order_by("pk"))
    list(ShopPage.objects.select_for_update().filter(name__in=changes.get("pages", {})).order_by("pk"))


def _publish(changes: dict[str, Any], *, reason: str, by: Staff | None, now: datetime, override: bool) -> None:
    for key in changes.get("weights", {}).values():
        weights = BlendWeights.objects.select_related("blend").get(pk=key)
        serve_tested(weights=weights, note=reason, by=by, now=now, override=override)
    if "rules" in changes:
        serve_book(book=RuleBook.objects.get(pk=changes["rules"]), note=reason, by=by, now=now)
    for name, values in changes.get("placements", {}).items():
        settable = {field: value for field, value in values.items() if field != "blend"}
        set_placement(placement=Placement.objects.get(name=name), changes=settable, by=by)
    for name, order in changes.get("pages", {}).items():
        page = ShopPage.objects.get(name=name)
        slots = {slot.placement.name: slot for slot in page.slots.select_related("placement")}
        arrange_page(page=page, slots=[(slots[one].placement, slots[one].n) for one in order if one in slots], by=by)


@transaction.atomic
def _moved(
    experiment: Experiment,
    *,
    frm: Sequence[str],
    to: ExperimentStatus,
    verb: str,
    code: str,
    by: Staff | None,
    now: datetime,
    seen: str | None = None,
) -> Experiment:
    stored = locked(experiment, frm, seen=seen)
    stored.status = to
    if to == ExperimentStatus.STOPPED:
        stored.ended_at, stored.ended_by = now, by
    stored.save(update_fields=["status", "ended_at", "ended_by"])
    return changed(stored, verb, code, by=by, now=now)


def held_text(error: LeverHeldError) -> str:
    """Say who holds what until when, and how much of the traffic is free."""
    names, free = _(", ").join(map(_held_by, error.held)), round(100 * error.free)
    if not free:
        return _("%(names)s has hold of it. No visitors are free: stop it first, or wait.") % {"names": names}
    text = _("%(names)s has hold of it. %(free)s%% of the visitors are free: take so many, or start later.")
    return text % {"names": names, "free": free}


def _held_by(holder: LeverHolder) -> str:
    """The name of a holder, with the planned end where it has one."""
    name = holder.experiment.name
    if holder.until is not None:
        return _("“%(name)s” until %(day)s") % {"name": name, "day": date_format(holder.until)}
    if holder.experiment.kind == ExperimentKind.BANDIT:
        return _("“%(name)s” (no planned end)") % {"name": name}
    return _("“%(name)s”") % {"name": name}
