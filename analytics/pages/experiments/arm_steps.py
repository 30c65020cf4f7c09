"""What a person does to an arm of a bandit: pin it, free it, give it a floor, take it out."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.experiments.form import decimal
from analytics.pages.experiments.steps import out_words, overtaken, refused
from analytics.pages.experiments.view import arm_dialog, arm_of, experiment_or_404
from analytics.parameters import typed
from recommendations.models import Experiment
from recommendations.services.access.policy import Action
from recommendations.services.experiments import bandit_steps
from recommendations.services.experiments.states import ArmIsOutError, NotInStateError
from recommendations.terms import ExperimentStatus

type ArmStep = Callable[..., Experiment]
TONIGHT = gettext_lazy("Saved for %(letter)s: it holds from tonight on.")
LATER = gettext_lazy("Saved for %(letter)s: it holds once the bandit goes on.")


@post_requires(Action.EXPERIMENT)
def pin_arm(request: HttpRequest, pk: int, letter: str) -> HttpResponse:
    return _step(request, pk, letter, bandit_steps.pin, field="pinned")


@post_requires(Action.EXPERIMENT)
def unpin_arm(request: HttpRequest, pk: int, letter: str) -> HttpResponse:
    return _step(request, pk, letter, bandit_steps.unpin)


@post_requires(Action.EXPERIMENT)
def floor_arm(request: HttpRequest, pk: int, letter: str) -> HttpResponse:
    return _step(request, pk, letter, bandit_steps.set_floor, field="floor")


@post_requires(Action.EXPERIMENT)
def take_arm_out(request: HttpRequest, pk: int, letter: str) -> HttpResponse:
    text = gettext_lazy("%(letter)s is out: it gets nobody from the next request on.")
    return _step(request, pk, letter, bandit_steps.take_out, text=text)


def _step(
    request: HttpRequest, pk: int, letter: str, step: ArmStep, *, text: str | Promise = "", field: str = ""
) -> HttpResponse:
    """Take a step; a share is typed in ``field``, in per cent. Without a ``text`` from when it holds is said."""
    stored = experiment_or_404(pk)
    arm = arm_of(stored, letter)
    if arm is None:
        return redirect("experiment", pk=pk)
    written = typed(request.POST.get(field), longest=20)
    share = {"share": decimal(written, unknown=0) / 100} if field else {}
    try:
        stored = step(experiment=stored, arm=arm, by=staff_of(request), now=timezone.now(), **share)
    except NotInStateError as error:
        return overtaken(request, error.current)
    except ArmIsOutError as error:
        return overtaken(request, stored, out_words(error.arm))
    except ValidationError as error:
        more = arm_dialog(stored, arm) | {"arm_errors": error.message_dict, f"typed_{field or 'arm'}": written}
        return refused(request, stored, "arm", more, status=422)
    holds = LATER if stored.status == ExperimentStatus.PAUSED else TONIGHT
    messages.success(request, (text or holds) % {"letter": letter})
    return redirect("experiment", pk=pk)
