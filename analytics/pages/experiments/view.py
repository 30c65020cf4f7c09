"""The page of an experiment: what to do about it, how it stands, what its arms change, and what happened to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts import experiments as charts
from analytics.charts.arms import visitors_by_day
from analytics.pages.access.permission import requires, staff_of
from analytics.pages.addresses import or_404, page_address
from analytics.pages.experiments.bandit import bandit_parts
from analytics.parameters import number
from analytics.queries.experiments import drafts, listing, standing
from analytics.queries.experiments.arm_words import ArmNames, arms_as_served
from analytics.queries.experiments.gates import gates_of
from analytics.queries.experiments.people import unjudged, with_replay_only
from analytics.queries.experiments.practice import MOST_SEED, practice_view
from analytics.queries.experiments.publishing import lever_changes
from analytics.queries.experiments.results import Results, results
from analytics.queries.experiments.starts import start_view
from analytics.queries.segments.choices import segment_choices
from recommendations.models import Arm, Experiment, Staff
from recommendations.practice_terms import PracticeEffect
from recommendations.services.access.policy import Action, may
from recommendations.services.experiments.levers import archived_changes, live_changes
from recommendations.services.experiments.practice import is_offered, judging_guardrails
from recommendations.terms import ExperimentKind, ExperimentStatus
from recommendations.wording import practice_labels
from recommendations.wording.linter import listed

BEGUN = (ExperimentStatus.RUNNING, ExperimentStatus.PAUSED)
DIALOGS: Mapping[str, tuple[Sequence[str], Action]] = {
    "start": ((ExperimentStatus.DRAFT,), Action.EXPERIMENT),
    "delete": ((ExperimentStatus.DRAFT,), Action.DRAFT),
    "practise": ((ExperimentStatus.DRAFT,), Action.DRAFT),
    "stop": (BEGUN, Action.EXPERIMENT),
    "widen": (BEGUN, Action.EXPERIMENT),
    "publish": ((*BEGUN, ExperimentStatus.STOPPED), Action.EXPERIMENT),
    "arm": (BEGUN, Action.EXPERIMENT),
    "out": (BEGUN, Action.EXPERIMENT),
}
"""What the address can open over the page: in which states, and who may do it."""

SEEN = "what the dialog of an experiment showed"


@require_safe
def experiment(request: HttpRequest, pk: int) -> HttpResponse:
    return experiment_page(request, experiment_or_404(pk), opened=request.GET.get("open", ""))


@require_safe
@requires(Action.EXPERIMENT)
def experiment_gate(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the dialog that says what the gate finds of the weights that would be published."""
    stored = experiment_or_404(pk)
    arm = or_404(arm_of(stored, request.GET.get("arm", "")))
    return render(request, "dashboard/experiments/gate.html", {"gates": gates_of(arm)})


def experiment_or_404(pk: int) -> Experiment:
    return or_404(drafts.find_experiment(pk))


def seed_of(request: HttpRequest) -> int:
    """The seed of the examples that an address names, else 1."""
    return min(max(number(request.GET.get("seed")) or 1, 1), MOST_SEED)


def arm_of(stored: Experiment, letter: str) -> Arm | None:
    """The arm of a letter, if it is not the control, or of a bandit."""
    arms = [arm for arm in stored.arms.all() if not arm.is_control or stored.kind == ExperimentKind.BANDIT]
    return next((arm for arm in arms if arm.letter == letter), None)


def experiment_page(
    request: HttpRequest,
    stored: Experiment,
    *,
    opened: str = "",
    more: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, with a dialog over it where ``opened`` names one that is possible now; ``more`` is what is wrong."""
    now, arms = timezone.now(), list(stored.arms.all())
    names = dict(segment_choices())
    practised = practice_view(stored, arms)
    begun = stored.started_at is not None and (practised is None or practised.succeeded)
    judged = begun and stored.kind != ExperimentKind.BANDIT
    reached = results(stored, arms, lambda key: names.get(str(key), str(key))) if judged else None
    offers, arm = offered_steps(stored, staff_of(request)), _chosen(stored, request)
    if opened == "publish" and arm and arm.out_at:
        arm = None
    live = live_changes([arm.changes]) if opened == "publish" and opened in offers and arm else {}
    compared = arms_as_served(stored, arms)
    versions = ArmNames.of([*(each.changes for each in compared), live], with_rules=bool(live))
    if live and arm:
        live |= archived_changes(versions.books.get(arm.changes.get("rules", 0)))
    context: dict[str, Any] = {
        "section": "experiments",
        "here": page_address(request, reverse("experiment", args=[stored.pk])),
        "experiment": stored,
        "arms": arms,
        "letters": [arm.letter for arm in arms],
        "levers": versions.rows(compared),
        "verdict": listing.verdict(stored) or _unjudged(stored, reached, now=now),
        "tone": listing.tone(stored),
        "day": listing.day_of(stored, now=now),
        "whom": drafts.audience_words(stored, names),
        "guardrails": drafts.guardrails_words(judging_guardrails(stored)),
        "log": standing.log(stored),
        "results": reached,
        "next_look": standing.next_look(now),
        "offers": offers,
        "practice": practised,
        "seed": seed_of(request),
        "start": start_view(stored, now=now),
    }
    if stored.kind == ExperimentKind.BANDIT:
        context["decides_at"] = stored.placements.values_list("name", flat=True).first()
    if reached:
        context |= {
            "health": standing.health(stored, arms, reached, now=now),
            "cap": standing.cap_of(stored, reached),
            **_figures(stored, reached),
        }
    if stored.kind == ExperimentKind.BANDIT and begun:
        context |= bandit_parts(stored, arms, names, now=now)
    if opened in offers:
        context |= _dialog(stored, opened, arm, reached, live)
    if live and arm:
        segments = {int(number): words for number, words in names.items()}
        context["publishing"] = lever_changes(arms, arm, live, versions, segments=segments)
    return render(request, "dashboard/experiments/experiment.html", context | dict(more or {}), status=status)


def offered_steps(stored: Experiment, staff: Staff) -> set[str]:
    """Dialogs that this person can open now."""
    if stored.simulated:
        return set()
    steps = {name for name, (states, action) in DIALOGS.items() if stored.status in states and may(staff, action)}
    if not is_offered(stored):
        steps.discard("practise")
    if stored.kind != ExperimentKind.BANDIT:
        steps -= {"arm", "out"}
    if stored.kind == ExperimentKind.AA:  # whose arms are what everybody gets
        steps.discard("publish")
    if stored.traffic >= 1:
        steps.discard("widen")
    return steps


def _unjudged(stored: Experiment, reached: Results | None, *, now: datetime) -> str:
    if stored.simulated:
        return ""
    replay_only = bool(with_replay_only([stored], now=now))
    return unjudged(stored, replay_only=replay_only, people=sum(reached.people.values()) if reached else 0)


def _chosen(stored: Experiment, request: HttpRequest) -> Arm | None:
    """The arm that a dialog is about: where none is named, the first beside the control that is in it."""
    letter = request.POST.get("arm", "") or request.GET.get("arm", "")
    others = (arm for arm in stored.arms.all() if not arm.is_control and arm.out_at is None)
    return arm_of(stored, letter) or next(others, None)


def _dialog(
    stored: Experiment, opened: str, arm: Arm | None, reached: Results | None, live: Mapping[str, Any]
) -> dict[str, Any]:
    if opened == "publish" and arm is None:
        return {}
    if opened in {"arm", "out"}:
        return arm_dialog(stored, arm, opened=opened)
    lines = reached.lines if reached else ()
    primary = [line for line in lines if line.metric == stored.primary and arm and line.letter == arm.letter]
    if opened == "practise":
        return {"dialog": opened, "effects": practice_labels.EFFECTS, "chosen": PracticeEffect.BETTER}
    parts = [(each, each.share * stored.traffic) for each in stored.arms.all()]
    seen = {"status": stored.status, "live": live}
    return {
        "dialog": opened,
        "arm": arm,
        "line": primary[0] if primary else None,
        "parts": parts,
        "seen": signing.dumps(seen, salt=SEEN, compress=True),
    }


def seen_in(request: HttpRequest) -> Mapping[str, Any]:
    """The state of the experiment, and what was live, as the dialog showed them; signed, as it comes from outside."""
    try:
        return dict(signing.loads(request.POST.get("seen_token", ""), salt=SEEN))
    except signing.BadSignature:
        return {"status": "", "live": {}}


def arm_dialog(stored: Experiment, arm: Arm | None, *, opened: str = "arm") -> dict[str, Any]:
    """The dialog about an arm of a bandit with the letters of the others that are left; none of what is out."""
    others = [each.letter for each in stored.arms.all() if each.out_at is None and each != arm]
    if arm is None or arm.out_at or (opened == "out" and not others):
        return {}
    return {"dialog": opened, "arm": arm, "others_left": listed(others), "only_one_left": len(others) == 1}


def _figures(stored: Experiment, reached: Results) -> dict[str, Any]:
    """Charts of the results, as JSON; the lift of every arm has one of its own."""
    day = _("Day")
    lifts = []
    for letter, days in reached.days.items():
        words = (
            _("%(letter)s against A") % {"letter": letter}, _("Interval, right at every look"),
            _("Interval, had you looked only that day"), _("Smallest lift worth having"),
        )  # fmt: skip
        axis = _("Change against A, %")
        figure = charts.lift_ribbon(days, smallest=stored.smallest_lift, words=words, day=day, axis=axis)
        drawn = any(map(charts.has_ends, days))
        lifts.append({"letter": letter, "days": days, "figure": figure.to_json(engine="orjson") if drawn else ""})
    axis, tolerance = _("← less · change against A, % · more →"), _("Tolerated")
    effects = [line.effect for line in reached.lines]
    visitors = visitors_by_day(reached.visitors, day=day, axis=_("New visitors"))
    figures: dict[str, Any] = {"lifts": lifts, "visitors_figure": visitors.to_json(engine="orjson")}
    if len(reached.days) == 1 and any(effect.is_certain for effect in effects):
        forest = charts.metric_forest(effects, axis=axis, tolerance=tolerance)
        figures["metrics_figure"] = forest.to_json(engine="orjson")
    if any(effect.is_certain for effect in reached.segments):
        forest = charts.metric_forest(reached.segments, axis=axis, tolerance=tolerance)
        figures["segments_figure"] = forest.to_json(engine="orjson")
    return figures
