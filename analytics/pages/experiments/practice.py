"""Practice with simulated visitors, in the demo: begin one from a draft, go on with another seed, cancel, delete."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.experiments.steps import overtaken, refused
from analytics.pages.experiments.view import experiment_or_404, experiment_page
from analytics.parameters import number
from analytics.queries.experiments.practice import MOST_SEED
from recommendations.practice_terms import PracticeEffect
from recommendations.services.access.policy import Action
from recommendations.services.experiments import practice as service
from recommendations.services.experiments.drafts import StaleExperimentError
from recommendations.services.experiments.states import NotInStateError


@post_requires(Action.DRAFT)
def practise_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin a practice of a draft; the page of the practice comes."""
    stored, effect, seed = experiment_or_404(pk), request.POST.get("effect", ""), _seed(request)
    if effect not in set(PracticeEffect):
        more = {"problem": _("Choose what is to be true of B."), "seed": request.POST.get("seed", "")}
        return refused(request, stored, "practise", more, status=422)
    if seed is None:
        more = {"problem": _seed_words(), "chosen": effect, "seed": request.POST.get("seed", "")}
        return refused(request, stored, "practise", more, status=422)
    try:
        run = service.practise(
            draft=stored, effect=PracticeEffect(effect), seed=seed, by=staff_of(request), now=timezone.now()
        )
    except service.PracticeIsOffError as error:
        raise Http404 from error
    except StaleExperimentError as error:
        return overtaken(request, error.current)
    return redirect("experiment", pk=run.experiment_id)


@post_requires(Action.DRAFT)
def repeat_practice(request: HttpRequest, pk: int) -> HttpResponse:
    """Let visitors of another seed through a practice."""
    stored, seed = experiment_or_404(pk), _seed(request)
    if seed is None:
        return experiment_page(request, stored, more={"seed_error": _seed_words()}, status=422)
    try:
        service.repeat(experiment=stored, seed=seed, by=staff_of(request))
    except (service.PracticeIsOffError, NotInStateError) as error:
        raise Http404 from error
    except service.PracticeRunsError:
        return overtaken(request, stored, _still_running())
    return redirect("experiment", pk=pk)


@post_requires(Action.DRAFT)
def cancel_practice(request: HttpRequest, pk: int) -> HttpResponse:
    service.cancel_practice(experiment=experiment_or_404(pk), by=staff_of(request), now=timezone.now())
    return redirect("experiment", pk=pk)


@post_requires(Action.DRAFT)
def delete_practice(request: HttpRequest, pk: int) -> HttpResponse:
    stored = experiment_or_404(pk)
    try:
        service.delete_practice(experiment=stored, by=staff_of(request))
    except NotInStateError as error:
        raise Http404 from error
    except service.PracticeRunsError:
        return overtaken(request, stored, _still_running())
    messages.success(request, _("The practice “%(name)s” is deleted.") % {"name": stored.name})
    return redirect("experiments")


def _seed(request: HttpRequest) -> int | None:
    """The seed of the form, the first where the field is empty; None where it is none."""
    text = request.POST.get("seed", "").strip()
    seed = number(text) if text else service.FIRST_SEED
    return seed if seed is not None and 1 <= seed <= MOST_SEED else None


def _seed_words() -> str:
    return _("The seed is a whole number between 1 and %(most)s.") % {"most": MOST_SEED}


def _still_running() -> str:
    return _("The practice is still running: cancel it first.")
