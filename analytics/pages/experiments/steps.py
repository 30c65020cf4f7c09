"""Steps in the life of an experiment: start, pause, resume, widen, stop, publish what won, delete a draft.

Of two who act at once the second is told what the first did.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.experiments.form import decimal
from analytics.pages.experiments.view import arm_of, experiment_or_404, experiment_page, offered_steps, seen_in
from analytics.parameters import note_in, number, typed
from analytics.queries.experiments.gates import gates_of
from analytics.queries.experiments.publishing import changed_since
from analytics.templatetags.display import moment
from recommendations.models import Arm, Experiment
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.experiments import lifecycle, starting
from recommendations.services.experiments.drafts import StaleExperimentError, delete_draft
from recommendations.services.experiments.lifecycle import LeverHeldError, LiveChangedError
from recommendations.services.experiments.states import ArmIsOutError, NotInStateError
from recommendations.services.weights.blending import GateClosedError
from recommendations.terms import ExperimentKind, ExperimentStatus

type Step = Callable[..., Experiment]


@post_requires(Action.EXPERIMENT)
def start_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    stored = experiment_or_404(pk)
    revision = number(request.POST.get("revision")) or 0
    try:
        starting.start(experiment=stored, revision=revision, by=staff_of(request), now=timezone.now())
    except StaleExperimentError as error:
        return overtaken(request, error.current)
    except LeverHeldError as error:
        return refused(request, stored, "start", {"problem": lifecycle.held_text(error)}, status=409)
    except ValidationError as error:
        return refused(request, stored, "start", {"problem": " ".join(error.messages)}, status=422)
    return redirect("experiment", pk=pk)


@post_requires(Action.EXPERIMENT)
def cancel_experiment_start(request: HttpRequest, pk: int) -> HttpResponse:
    return _step(request, pk, starting.cancel_start, _("The start of “%(name)s” is cancelled: nobody was in it."))


@post_requires(Action.EXPERIMENT)
def pause_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    bandit = experiment_or_404(pk).kind == ExperimentKind.BANDIT
    text = (
        _("“%(name)s” is paused: the shares stay as they are.")
        if bandit
        else _("“%(name)s” is paused: everybody gets what is live.")
    )
    return _step(request, pk, lifecycle.pause, text)


@post_requires(Action.EXPERIMENT)
def resume_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    bandit = experiment_or_404(pk).kind == ExperimentKind.BANDIT
    text = (
        _("“%(name)s” goes on: the shares move again tonight.")
        if bandit
        else _("“%(name)s” goes on: everybody is in the arm that they were in.")
    )
    return _step(request, pk, lifecycle.resume, text)


@post_requires(Action.EXPERIMENT)
def stop_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    step = partial(lifecycle.stop, seen=seen_in(request)["status"])
    return _step(request, pk, step, _("“%(name)s” is stopped: everybody gets what is live."), opened="stop")


@post_requires(Action.EXPERIMENT)
def widen_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    stored, text = experiment_or_404(pk), typed(request.POST.get("traffic"), longest=20)
    traffic = decimal(text, unknown=0) / 100
    try:
        wider = lifecycle.widen(
            experiment=stored, traffic=traffic, by=staff_of(request), now=timezone.now(),
            seen=seen_in(request)["status"],
        )  # fmt: skip
    except NotInStateError as error:
        return overtaken(request, error.current, opened="widen", more={"typed_traffic": text})
    except LeverHeldError as error:
        more = {"problem": lifecycle.held_text(error), "typed_traffic": text}
        return refused(request, stored, "widen", more, status=409)
    except ValidationError as error:
        more = {"problem": " ".join(error.messages), "typed_traffic": text}
        return refused(request, stored, "widen", more, status=422)
    messages.success(request, _("“%(name)s” reaches more of the visitors now.") % {"name": wider.name})
    return redirect("experiment", pk=pk)


@post_requires(Action.EXPERIMENT)
def publish_arm(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish what an arm serves, for everybody.

    The dialog comes back where a note or the gate is missing, and where it showed what is no longer so.
    """
    stored, note = experiment_or_404(pk), note_in(request.POST)
    arm, override = arm_of(stored, request.POST.get("arm", "")), "override" in request.POST
    if arm is None:
        return redirect("experiment", pk=pk)
    if arm.out_at is not None:
        return overtaken(request, stored, out_words(arm))
    again: dict[str, Any] = {"note": note, "override": override}
    seen = seen_in(request)
    try:
        lifecycle.ship(
            experiment=stored, arm=arm, reason=note, override=override, by=staff_of(request), now=timezone.now(),
            seen=seen["status"], replacing=seen["live"],
        )  # fmt: skip
    except NotInStateError as error:
        return overtaken(request, error.current, opened="publish", more=again)
    except ArmIsOutError as error:
        return overtaken(request, stored, out_words(error.arm))
    except LiveChangedError as error:
        text = _("Nothing was published: please check below what would change by now.")
        again |= {"problem": f"{changed_since(seen['live'], error.live)} {text}"}
        return refused(request, stored, "publish", again, status=409)
    except NoteNeededError:
        again |= {"note_error": _("Say why: it stays with the version.")}
        return refused(request, stored, "publish", again, status=422)
    except GateClosedError:
        again |= {"gate_error": _("Tick the box to publish it anyway."), "gates": gates_of(arm)}
        return refused(request, stored, "publish", again, status=422)
    messages.success(request, _("%(letter)s is live for everybody: the experiment has ended.") % {"letter": arm.letter})
    return redirect("experiment", pk=pk)


@post_requires(Action.DRAFT)
def delete_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    stored = experiment_or_404(pk)
    try:
        delete_draft(experiment=stored, by=staff_of(request))
    except StaleExperimentError as error:
        return overtaken(request, error.current)
    messages.success(request, _("The draft “%(name)s” is deleted.") % {"name": stored.name})
    return redirect("experiments")


def _step(request: HttpRequest, pk: int, step: Step, text: str, *, opened: str = "") -> HttpResponse:
    """Take a step; ``opened`` is the dialog that it was taken in."""
    stored = experiment_or_404(pk)
    try:
        step(experiment=stored, by=staff_of(request), now=timezone.now())
    except NotInStateError as error:
        return overtaken(request, error.current, opened=opened)
    messages.success(request, text % {"name": stored.name})
    return redirect("experiment", pk=pk)


def refused(
    request: HttpRequest, stored: Experiment, opened: str, more: Mapping[str, Any], *, status: int
) -> HttpResponse:
    """The page with the dialog open again, and what is wrong in it."""
    return experiment_page(request, stored, opened=opened, more=more, status=status)


def overtaken(
    request: HttpRequest,
    current: Experiment,
    words: str = "",
    *,
    opened: str = "",
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The page as it is by now, with what somebody else did meanwhile; the dialog again if that is possible still."""
    fresh = experiment_or_404(current.pk)
    words = words or _state_words(fresh)
    if opened not in offered_steps(fresh, staff_of(request)):
        return experiment_page(request, fresh, more={"overtaken": words}, status=409)
    problem = {"problem": _("%(what)s Nothing of yours was done.") % {"what": words}}
    return refused(request, fresh, opened, {**(more or {}), **problem}, status=409)


def out_words(arm: Arm) -> str:
    return _("%(letter)s is out by now.") % {"letter": arm.letter}


def _state_words(stored: Experiment) -> str:
    """What an experiment is, since when and by whom: "Running since 10:02, by Ana"."""
    last = stored.notes.select_related("by").first()
    if stored.status == ExperimentStatus.DRAFT or last is None:
        return _("Someone has changed the draft since you looked.")
    parts = {"status": stored.get_status_display(), "time": moment(last.at), "who": last.by}
    if last.by is None:
        return _("%(status)s since %(time)s.") % parts
    return _("%(status)s since %(time)s: %(who)s was faster.") % parts
