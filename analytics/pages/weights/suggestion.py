"""Let the tuner suggest weights: it searches in the background, and what it finds lands on the sliders, no further."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.weights.desk import first_messages, form_values, given_in, place_in
from analytics.queries.weights import suggestion as query
from recommendations.engine.evaluation.panel_measures import ACCURACY
from recommendations.models import Group, WeightSearch
from recommendations.services.access.policy import Action
from recommendations.services.weights import suggestions
from recommendations.services.weights.tuning import NothingToTuneOnError
from recommendations.terms import BlendName


@requires(Action.DRAFT)
@require_safe
def weights_suggestion(request: HttpRequest) -> HttpResponse:
    """Content of the dialog: a search that goes on, else what one needs to begin."""
    blend, group = place_in(request.GET)
    running = suggestions.latest_suggestion(blend, group)
    return _progress(request, running) if running and not running.is_over else _form(request, blend, group)


@post_requires(Action.DRAFT)
def suggest_weights(request: HttpRequest) -> HttpResponse:
    blend, group = place_in(request.POST)
    given = {name: request.POST.get(name, "") for name in ("goal", *query.LIMITS)}
    try:
        begun = suggestions.suggest(
            blend=blend, group=group, values=form_values(given_in(request.POST)), limits=given,
            goal=given["goal"] or ACCURACY, locked=request.POST.getlist("lock"), by=staff_of(request),
            now=timezone.now(),
        )  # fmt: skip
    except ValidationError as error:
        return _form(request, blend, group, given=given, errors=first_messages(error))
    except suggestions.SearchRunningError as error:
        return _progress(request, error.search)
    except NothingToTuneOnError:
        return _form(request, blend, group, given=given, problem=_("There is nothing to search yet."))
    return _progress(request, begun)


@requires(Action.DRAFT)
@require_safe
def suggestion_progress(request: HttpRequest, key: UUID) -> HttpResponse:
    """Progress of a search, asked for every second."""
    return _progress(request, get_object_or_404(WeightSearch, pk=key))


@post_requires(Action.DRAFT)
def cancel_suggestion(request: HttpRequest, key: UUID) -> HttpResponse:
    search = get_object_or_404(WeightSearch, pk=key)
    with suppress(suggestions.SearchIsOverError):
        suggestions.cancel(search, now=timezone.now())
    return _progress(request, search)


def _progress(request: HttpRequest, search: WeightSearch) -> HttpResponse:
    context = {"search": search, "told": query.progress_text(search), "found": query.loadable(search)}
    return render(request, "dashboard/weights/suggestion.html", context)


def _form(
    request: HttpRequest,
    blend: BlendName,
    group: Group,
    *,
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    problem: str = "",
) -> HttpResponse:
    """Form with what was typed, and what is wrong about it."""
    context = query.form_of(blend, group, given=given, errors=errors or {})
    return render(request, "dashboard/weights/suggest_form.html", context | {"problem": problem})
