"""Running experiments as the record has them, for the snapshot of a process."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from django.utils import timezone

from recommendations.models import Arm, ArmShare, BlendWeights, Experiment, RuleBook, ShopSetting, Unit
from recommendations.store.serving.snapshot import (
    ServedArm,
    ServedExperiment,
    ServedPlacement,
    ServedSlot,
    ServedWeights,
    WeightsKey,
)
from recommendations.terms import BlendName, ExperimentKind

TRAFFIC_SALT = "traffic_salt"
"""The shop's setting of that name, in hex; it draws the part of the traffic in which a person is."""

log = structlog.get_logger(__name__)


class UnservableArmError(Exception):
    """An arm refers to what is not there."""


def running_experiments(
    placements: Mapping[str, ServedPlacement], pages: Mapping[str, Sequence[ServedSlot]]
) -> list[ServedExperiment]:
    """Read the experiments that people are assigned to; one that cannot be served is left out, and the log says so."""
    served = []
    for experiment in Experiment.objects.running().order_by("pk").prefetch_related("arms", "placements"):
        try:
            served.append(_served(experiment, placements, pages))
        except UnservableArmError as error:
            log.warning("experiment left out", experiment=experiment.pk, error=str(error))
    return served


def served_arm(
    arm: Arm, placements: Mapping[str, ServedPlacement], pages: Mapping[str, Sequence[ServedSlot]]
) -> ServedArm:
    """What an arm puts in place of what is served. Raises UnservableArmError."""
    changes = arm.changes
    keys = changes.get("weights", {}).values()
    rows = list(BlendWeights.objects.filter(pk__in=keys).select_related("blend", "segment", "audience"))
    book = RuleBook.objects.filter(pk=changes["rules"]).first() if "rules" in changes else None
    if len(rows) < len(keys) or ("rules" in changes and book is None):
        raise UnservableArmError(f"arm {arm.letter} refers to versions that are gone")
    return ServedArm(
        key=arm.pk,
        position=arm.position,
        experiment=arm.experiment_id,
        weights={WeightsKey.of(BlendName(row.blend.name), row.group): ServedWeights.of(row) for row in rows},
        book=(book.number, book.rules) if book else None,
        placements={
            name: _placement(placements, name, values) for name, values in changes.get("placements", {}).items()
        },
        pages={name: _page(pages, name, order) for name, order in changes.get("pages", {}).items()},
    )


def _served(
    experiment: Experiment, placements: Mapping[str, ServedPlacement], pages: Mapping[str, Sequence[ServedSlot]]
) -> ServedExperiment:
    arms = sorted(experiment.arms.all(), key=lambda arm: arm.position)
    positions = {arm.pk: arm.position for arm in arms}
    held = Unit.objects.filter(experiment=experiment, stays_in__isnull=False, customer__erased_at=None)
    salt = ShopSetting.objects.filter(key=TRAFFIC_SALT).values_list("value", flat=True).first()
    return ServedExperiment(
        key=experiment.pk,
        placements=_placements(experiment, arms),
        segments=frozenset(experiment.segments),
        signed_in=experiment.signed_in,
        buckets=range(experiment.range_from, experiment.range_to),
        traffic_salt=bytes.fromhex(salt) if salt else b"",
        salt=bytes(experiment.salt),
        arms=[served_arm(arm, placements, pages) for arm in arms],
        shares=_shares(arms, daily=experiment.kind == ExperimentKind.BANDIT),
        stays={unit: positions[arm] for unit, arm in held.values_list("unit", "stays_in") if arm is not None},
        daily=experiment.kind == ExperimentKind.BANDIT,
    )


def _placements(experiment: Experiment, arms: Sequence[Arm]) -> frozenset[str]:
    """Placements that are under an arm wherever they are asked for; of what only arranges pages there are none."""
    if all(arm.changes.keys() <= {"pages"} for arm in arms) and any(arm.changes for arm in arms):
        return frozenset()
    return frozenset(placement.name for placement in experiment.placements.all())


def _shares(arms: Sequence[Arm], *, daily: bool) -> dict[int | None, Sequence[float]]:
    """Shares of the arms, by segment: of a bandit those of the last day that has any, without what was taken out."""
    shares: dict[int | None, Sequence[float]] = {None: [arm.share for arm in arms]}
    if not daily:
        return shares
    rows = ArmShare.objects.filter(arm__in=arms, day__lte=timezone.localdate())
    last: dict[int | None, dict[int, float]] = {}
    for arm, segment, share in rows.order_by("day").values_list("arm", "segment", "share"):
        last.setdefault(segment, {})[arm] = share
    shares |= {segment: [own[arm.pk] for arm in arms] for segment, own in last.items() if len(own) == len(arms)}
    return {segment: _of_running(arms, own) for segment, own in shares.items()}


def _of_running(arms: Sequence[Arm], shares: Sequence[float]) -> Sequence[float]:
    """The shares with nothing for arms that are out; where all of it was theirs the others have it evenly."""
    left = [0.0 if arm.out_at else share for arm, share in zip(arms, shares, strict=True)]
    if not sum(left):
        left = [float(arm.out_at is None) for arm in arms]
    return [share / sum(left) for share in left] if any(arm.out_at for arm in arms) else shares


def _placement(placements: Mapping[str, ServedPlacement], name: str, values: Mapping[str, Any]) -> ServedPlacement:
    if name not in placements:
        raise UnservableArmError(f"no placement {name}")
    try:
        return msgspec.convert({**msgspec.to_builtins(placements[name]), **values}, ServedPlacement)
    except msgspec.ValidationError as error:
        raise UnservableArmError(f"placement {name}: {error}") from error


def _page(pages: Mapping[str, Sequence[ServedSlot]], name: str, order: Sequence[str]) -> Sequence[ServedSlot]:
    """The slots of a page in another order; one that the order does not name comes last."""
    if name not in pages:
        raise UnservableArmError(f"no page {name}")
    places = {placement: place for place, placement in enumerate(order)}
    return sorted(pages[name], key=lambda slot: places.get(slot.placement, len(order)))
