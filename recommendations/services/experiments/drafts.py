"""Experiments as staff draft them: what is compared, for whom, by which metric, and for how long."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from recommendations.models import Arm, Experiment, Placement, Staff
from recommendations.models.experiments import BUCKETS
from recommendations.services.access import audit
from recommendations.services.experiments.checks import check
from recommendations.services.experiments.forms import ArmForm, ExperimentForm, shares_of
from recommendations.services.experiments.levers import all_levers, touched_placements
from recommendations.services.experiments.notes import note
from recommendations.terms import ExperimentKind, ExperimentStatus


class StaleExperimentError(Exception):
    """Somebody changed the draft, or started it, since it was read; ``current`` is what it is now."""

    def __init__(self, current: Experiment) -> None:
        super().__init__(f"{current} was changed by somebody else")
        self.current = current


@transaction.atomic
def save_draft(
    *, experiment: Experiment | None, form: ExperimentForm, revision: int | None, by: Staff | None, now: datetime
) -> Experiment:
    """Create (``experiment`` None) or change a draft; ``revision`` is the one that the writer saw.

    Raises ValidationError with ``message_dict`` by field, and StaleExperimentError; then nothing is saved.
    """
    check(form)
    if experiment is None:
        stored = Experiment(author=by, created_at=now, revision=0)
    else:
        stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
        if stored.status != ExperimentStatus.DRAFT or revision != stored.revision:
            raise StaleExperimentError(stored)
    before = described(stored) if stored.pk else None
    for name, value in _fields(form).items():
        setattr(stored, name, value)
    stored.revision += 1
    stored.save()
    touched = [form.placement] if form.kind == ExperimentKind.BANDIT else touched_placements(all_levers(_changes(form)))
    stored.placements.set(Placement.objects.filter(name__in=touched))
    stored.arms.all().delete()
    Arm.objects.bulk_create(_arms(stored, form))
    verb = "change" if before else "create"
    audit.record(by=by, verb=verb, subject=stored, before=before, after=described(stored))
    if before is None:
        note(stored, "created", by=by, at=now)
    return stored


@transaction.atomic
def delete_draft(*, experiment: Experiment, by: Staff | None) -> None:
    """Delete a draft. Raises StaleExperimentError where it was started meanwhile."""
    stored = Experiment.objects.select_for_update().get(pk=experiment.pk)
    if stored.status != ExperimentStatus.DRAFT:
        raise StaleExperimentError(stored)
    audit.record(by=by, verb="delete", subject=stored, before=described(stored))
    stored.delete()


def form_of(experiment: Experiment) -> ExperimentForm:
    """The form that would draft an experiment like this one, without its control."""
    arms = [arm for arm in experiment.arms.order_by("position") if not arm.is_control]
    bandit = experiment.kind == ExperimentKind.BANDIT
    placement = experiment.placements.values_list("name", flat=True).first() if bandit else None
    return ExperimentForm(
        name=experiment.name,
        kind=ExperimentKind(experiment.kind),
        hypothesis=experiment.hypothesis,
        arms=[ArmForm(changes=arm.changes, name=arm.name, share=arm.share) for arm in arms],
        segments=tuple(experiment.segments),
        signed_in=experiment.signed_in,
        traffic=experiment.traffic,
        primary=experiment.primary,
        guardrails=experiment.guardrails,
        smallest_lift=experiment.smallest_lift,
        planned_days=experiment.planned_days,
        half_life=experiment.half_life,
        by_segment=experiment.by_segment,
        placement=placement or "",
    )


def described(experiment: Experiment) -> dict[str, Any]:
    """What the trail says of an experiment."""
    arms = {arm.letter: {"share": arm.share, **arm.changes} for arm in experiment.arms.order_by("position")}
    return {
        "name": experiment.name, "kind": experiment.kind, "status": experiment.status, "primary": experiment.primary,
        "days": experiment.planned_days, "traffic": experiment.traffic, "arms": arms,
    }  # fmt: skip


def _fields(form: ExperimentForm) -> dict[str, Any]:
    return {
        "name": form.name.strip(),
        "kind": form.kind,
        "hypothesis": form.hypothesis.strip(),
        "segments": sorted(form.segments),
        "signed_in": form.signed_in,
        "range_from": 0,
        "range_to": round(form.traffic * BUCKETS),
        "primary": form.primary,
        "guardrails": dict(form.guardrails),
        "smallest_lift": form.smallest_lift,
        "planned_days": form.planned_days,
        "half_life": form.half_life,
        "by_segment": form.by_segment,
    }


def _changes(form: ExperimentForm) -> list[Mapping[str, Any]]:
    return [arm.changes for arm in form.arms]


def _arms(experiment: Experiment, form: ExperimentForm) -> list[Arm]:
    """The arms, the control first; its changes are set when the experiment starts."""
    shares = shares_of(form)
    rows = [Arm(experiment=experiment, position=0, changes={}, share=shares[0])]
    for position, (own, share) in enumerate(zip(form.arms, shares[1:], strict=True), 1):
        rows.append(
            Arm(experiment=experiment, position=position, name=own.name.strip(), changes=dict(own.changes), share=share)
        )
    return rows


def shares_of(form: ExperimentForm) -> list[float]:
    """Shares of all arms, the control's first: what is left, or all even where none is given."""
    given = [arm.share for arm in form.arms]
    if all(share is None for share in given):
        return [1 / (len(given) + 1)] * (len(given) + 1)
    shares = [share or 0.0 for share in given]
    return [1 - sum(shares), *shares]


def _check(form: ExperimentForm) -> None:
    flaws: Flaws = {}
    _check_basics(form, flaws)
    _check_arms(form, flaws)
    for place, arm in enumerate(form.arms, 1):
        _check_changes(arm.changes, f"arm-{place}", flaws)
    if flaws:
        raise ValidationError(dict(flaws))


def _check_basics(form: ExperimentForm, flaws: Flaws) -> None:
    if not form.name.strip():
        flaws["name"] = [_("Give it a name, by which people will speak of it.")]
    elif len(form.name.strip()) > 120:
        flaws["name"] = [_("At most 120 characters.")]
    allowed = OF_BANDITS if form.kind == ExperimentKind.BANDIT else PRIMARY
    if form.primary not in allowed:
        flaws["primary"] = [_("This cannot be what decides here; choose one of the list.")]
    if not 0.01 <= form.traffic <= 1:
        flaws["traffic"] = [_("Between 1 and 100 per cent of the visitors.")]
    if not 0.001 <= form.smallest_lift <= 1:
        flaws["smallest_lift"] = [_("Between 0.1 and 100 per cent.")]
    if not SHORTEST <= form.planned_days <= LONGEST:
        flaws["planned_days"] = [
            _("Between %(least)s and %(most)s days: whole weeks, as people shop differently on different days.")
            % {"least": SHORTEST, "most": LONGEST}
        ]
    unknown = set(form.guardrails) - GUARDRAILS
    wrong = [name for name, tolerance in form.guardrails.items() if not 0 <= tolerance <= 1]
    if unknown or wrong:
        flaws["guardrails"] = [_("How much worse it may become is between 0 and 100 per cent of a known guardrail.")]
    known = set(Segment.objects.filter(number__in=form.segments).values_list("number", flat=True))
    if gone := sorted(set(form.segments) - known):
        flaws["segments"] = [_("There is no segment %(number)s any more.") % {"number": gone[0]}]


def _check_arms(form: ExperimentForm, flaws: Flaws) -> None:
    if not form.arms or len(form.arms) >= MOST_ARMS:
        flaws["arms"] = [
            _("Compare what is served with at least one other version, and at most %(most)s.") % {"most": MOST_ARMS - 1}
        ]
        return
    shares = shares_of(form)
    if min(shares) < 0.01 or max(shares) > 0.99:
        flaws["shares"] = [_("Each version, what is served too, needs between 1 and 99 per cent of the visitors.")]
    if form.kind == ExperimentKind.AA:
        return
    changes = _changes(form)
    if any(not all_levers([one]) for one in changes):
        flaws["arms"] = [_("Say what the other version changes: weights, rules, a placement or the order of a page.")]
    elif any(one in changes[:place] for place, one in enumerate(changes)):
        flaws["arms"] = [_("The same version stands in it twice.")]


def _check_changes(changes: Mapping[str, Any], place: str, flaws: Flaws) -> None:
    """Check that what an arm refers to is there."""
    for blend, key in changes.get("weights", {}).items():
        row = BlendWeights.objects.filter(pk=key, blend__name=blend).first()
        if row is None or row.status == WeightsStatus.DRAFT:
            flaws.setdefault(place, []).append(_("Choose a version of the weights that is there."))
        elif row.group is not None:
            flaws.setdefault(place, []).append(_("Only weights that are for everyone can be tested."))
    if (key := changes.get("rules")) is not None and not RuleBook.objects.filter(pk=key).exists():
        flaws.setdefault(place, []).append(_("Choose a version of the rules that is there."))
    for name, values in changes.get("placements", {}).items():
        if not Placement.objects.filter(name=name).exists() or set(values) - set(TESTABLE) or not values:
            flaws.setdefault(place, []).append(_("Choose a placement, and what is to change about it."))
        elif not _possible(values):
            flaws.setdefault(place, []).append(_("%(name)s: these values are not possible.") % {"name": name})
    for name, order in changes.get("pages", {}).items():
        page = ShopPage.objects.filter(name=name).first()
        stand = set(page.slots.values_list("placement__name", flat=True)) if page else set()
        if page is None or set(order) != stand or len(set(order)) != len(order):
            flaws.setdefault(place, []).append(_("The order has to name each list of the page once."))


def _possible(values: Mapping[str, Any]) -> bool:
    limits = {"n": (1, 100), "diversity": (0, 1), "cool_down": (0, 1), "fatigue": (0, 2)}
    for field_name, (least, most) in limits.items():
        value = values.get(field_name)
        if value is not None and not (isinstance(value, int | float) and least <= value <= most):
            return False
    return values.get("repeat", Repeat.ALLOW) in set(Repeat)
