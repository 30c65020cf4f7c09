"""The editor of a draft: what changes, for whom, what counts and how long. Nothing in the shop changes by it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.experiments.form import MOST_ROWS, ExperimentEditor
from analytics.parameters import number
from analytics.queries.experiments import drafts as query
from analytics.queries.experiments.choices import Offer, offer, placements_of
from recommendations.models import Experiment
from recommendations.services.access.policy import Action
from recommendations.services.experiments.checks import LONGEST, SHORTEST
from recommendations.services.experiments.drafts import StaleExperimentError, save_draft
from recommendations.terms import ExperimentStatus
from recommendations.wording import experiment_labels, labels


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.DRAFT)
def new_experiment(request: HttpRequest) -> HttpResponse:
    """A draft that begins with what the address names: ``weights=home:41``, ``rules=7`` or ``copy=12``."""
    if request.method == "POST":
        return _take(request, None)
    return _render(request, None, _begun(request.GET))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.DRAFT)
def edit_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    stored = query.find_experiment(pk)
    if request.method == "POST":
        return _take(request, stored) if stored else _take_without(request, pk)
    stored = or_404(stored)
    if stored.status != ExperimentStatus.DRAFT:
        messages.warning(request, _("It was started, so what it compares stays as it is: copy it to change that."))
        return redirect("experiment", pk=pk)
    return _render(request, stored, ExperimentEditor.of(query.form_of(stored)))


def _begun(sent: QueryDict) -> ExperimentEditor:
    """The form that an address asks for."""
    if "copy" in sent:
        copied = or_404(query.find_experiment(number(sent.get("copy")) or 0))
        form = query.form_of(copied)
        return ExperimentEditor.of(replace(form, name=_("Copy of %(name)s") % {"name": copied.name}))
    if weights := sent.get("weights", ""):
        begun = ExperimentEditor.blank(offer("", weights=[weights]).weights_words(weights), weights=weights)
        return begun.after(f"kind:{sent.get('kind', '')}")
    if book := query.find_book(number(sent.get("rules")) or 0):
        return ExperimentEditor.blank(_("Rules %(book)s") % {"book": book}, lever="rules", rules=str(book.pk))
    return ExperimentEditor.blank()


def _take(request: HttpRequest, stored: Experiment | None) -> HttpResponse:
    """Save what was sent, or show it again: after a button of an arm, with errors, or beside somebody else's."""
    editor = ExperimentEditor.sent(request.POST)
    serving = _serving(editor)
    if len(serving) == 1:  # nothing is to be chosen
        editor = editor.placed(serving)
    if command := request.POST.get("edit", ""):
        return _render(request, stored, editor.after(command))
    offered = _offer(editor)
    revision = number(request.POST.get("over")) or number(request.POST.get("revision"))
    try:
        saved = save_draft(
            experiment=stored, form=editor.as_form(offered.pages), revision=revision, by=staff_of(request),
            now=timezone.now(),
        )  # fmt: skip
    except Experiment.DoesNotExist:
        return _take_without(request, stored.pk if stored else 0)
    except ValidationError as error:
        return _render(request, stored, editor.complaining(error), offered=offered, status=422)
    except StaleExperimentError as error:
        stale = query.stale(error.current, editor.as_form(offered.pages))
        return _render(request, error.current, editor, offered=offered, more={"stale": stale}, status=409)
    if request.POST.get("then") == "start":
        return redirect(reverse("experiment", args=[saved.pk], query={"open": "start"}))
    messages.success(request, _("“%(name)s” is saved. Nothing in the shop has changed.") % {"name": saved.name})
    return redirect("experiment", pk=saved.pk)


def _take_without(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what was sent to a draft that is gone, as the form of a new one; a button of an arm works as it did."""
    editor, command = ExperimentEditor.sent(request.POST), request.POST.get("edit", "")
    more = {"gone": query.deletion(pk)}
    if command:
        return _render(request, None, editor.after(command), more=more)
    return _render(request, None, editor, more=more, status=409)


def _offer(editor: ExperimentEditor) -> Offer:
    return offer(editor.kind, weights=editor.weights, books=editor.books, segments=editor.segments)


def _serving(editor: ExperimentEditor) -> list[str]:
    """Placements of the blend that a bandit compares; none while it compares none, or several."""
    blends = editor.blends if editor.is_bandit else set()
    return placements_of(*blends) if len(blends) == 1 else []


def _render(
    request: HttpRequest,
    stored: Experiment | None,
    editor: ExperimentEditor,
    *,
    offered: Offer | None = None,
    more: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    choices, serving = offered or _offer(editor), _serving(editor)
    editor = editor.placed(serving)
    context = {
        "section": "experiments",
        "experiment": stored,
        "address": reverse("edit_experiment", args=[stored.pk]) if stored else reverse("new_experiment"),
        "revision": number(request.POST.get("revision")) or (stored.revision if stored else ""),
        "form": editor,
        "arms": [(arm, arm.orders(choices.pages)) for arm in editor.arms],
        "offer": choices,
        "serving": serving if len(serving) > 1 and editor.placement in serving else [],
        "repeats": labels.REPEATS,
        "kinds": experiment_labels.EXPERIMENT_KINDS,
        "room": len(editor.arms) < MOST_ROWS,
        "most_arms": MOST_ROWS,
        "shortest": SHORTEST,
        "longest": LONGEST,
        **(more or {}),
    }
    return render(request, "dashboard/experiments/editor.html", context, status=status)
