"""What a person can do to a bandit while it goes on: pin an arm, give it a floor, take it out.

Pins and floors hold from the next day on, so that the shares of a day stay as they are known; what is taken out gets
nobody from the next request on.
"""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from recommendations.experiment_terms import NoteCode
from recommendations.models import Arm, Experiment, Staff
from recommendations.services.experiments.bandits import floors, take_out_today
from recommendations.services.experiments.levers import HELD_IN
from recommendations.services.experiments.states import ArmIsOutError, NotInStateError, changed, locked
from recommendations.store.rules.conditions import shop_day
from recommendations.terms import ExperimentKind
from recommendations.wording.metrics import percent_text

LEAST, MOST = 0.01, 0.95
"""What a person can give an arm, as a share: the others still need some."""


def pin(*, experiment: Experiment, arm: Arm, share: float, by: Staff | None, now: datetime) -> Experiment:
    """Give an arm a fixed share from the next day on. Raises NotInStateError, ArmIsOutError and ValidationError."""
    return _give(experiment, arm, "pinned", share, verb="pin", code=NoteCode.ARM_PINNED, by=by, now=now)


def unpin(*, experiment: Experiment, arm: Arm, by: Staff | None, now: datetime) -> Experiment:
    """Let the share of an arm follow what is seen again. Raises NotInStateError and ArmIsOutError."""
    return _give(experiment, arm, "pinned", None, verb="unpin", code=NoteCode.ARM_UNPINNED, by=by, now=now)


def set_floor(*, experiment: Experiment, arm: Arm, share: float, by: Staff | None, now: datetime) -> Experiment:
    """Give an arm at least a share, from the next day on. Raises NotInStateError, ArmIsOutError, ValidationError."""
    return _give(experiment, arm, "floor", share, verb="set floor", code=NoteCode.FLOOR_SET, by=by, now=now)


@transaction.atomic
def take_out(*, experiment: Experiment, arm: Arm, by: Staff | None, now: datetime) -> Experiment:
    """Give an arm nobody from the next request on, for good.

    Raises NotInStateError, ArmIsOutError, and ValidationError for the last one.
    """
    stored, own, arms = _locked_arm(experiment, arm)
    if sum(each.out_at is None for each in arms) < 2:
        raise ValidationError({"arm": [_("It is the last one: stop the bandit instead.")]})
    own.out_at = now
    own.save(update_fields=["out_at"])
    take_out_today(arms, day=shop_day(now))
    return changed(stored, "take out", NoteCode.ARM_OUT, by=by, now=now, facts={"arm": own.position})


@transaction.atomic
def _give(
    experiment: Experiment, arm: Arm, field: str, share: float | None, *, verb: str, code: NoteCode, by: Staff | None,
    now: datetime,
) -> Experiment:  # fmt: skip
    stored, own, arms = _locked_arm(experiment, arm)
    setattr(own, field, share)
    _check(own, arms, share, field=field)
    own.save(update_fields=[field])
    facts = {"arm": own.position} | ({} if share is None else {"share": share})
    return changed(stored, verb, code, by=by, now=now, facts=facts)


def _locked_arm(experiment: Experiment, arm: Arm) -> tuple[Experiment, Arm, list[Arm]]:
    stored = locked(experiment, HELD_IN)
    if stored.kind != ExperimentKind.BANDIT:
        raise NotInStateError(stored)
    arms = list(stored.arms.order_by("position"))
    own = arms[arm.position]
    if own.out_at is not None:
        raise ArmIsOutError(own)
    return stored, own, arms


def _check(own: Arm, arms: list[Arm], share: float | None, *, field: str) -> None:
    """Check that pins and floors leave enough to every other arm, and that not all are pinned."""
    if share is not None and not LEAST <= share <= MOST:
        limits = {"least": percent_text(LEAST), "most": percent_text(MOST)}
        raise ValidationError({field: [_("Between %(least)s and %(most)s of the visitors.") % limits]})
    running = [arm for arm in arms if arm.out_at is None]
    if all(arm.pinned is not None for arm in running):
        raise ValidationError({field: [_("Every version would be pinned: leave one free, or stop the bandit.")]})
    least = floors(arms)
    others = sum(least[arm.position] if arm.pinned is None else arm.pinned for arm in running if arm is not own)
    wanted = least[own.position] if own.pinned is None else own.pinned
    if others + wanted > 1:
        left = percent_text(max(1 - others, 0))
        raise ValidationError(
            {field: [_("The others have to get their part: at most %(left)s is left.") % {"left": left}]}
        )
