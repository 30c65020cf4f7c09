"""Drafts of weights and rules that are frozen as versions, so that an experiment can serve them to some."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.addresses import or_404
from analytics.parameters import note_in, number
from analytics.queries.experiments.drafts import find_draft_weights
from analytics.queries.experiments.gates import ArmGate
from analytics.queries.rules.changes import BookAction, proposal
from analytics.queries.rules.overview import rules
from recommendations.models import BlendWeights, Rule
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.rules.books import FaultyRulesError, NothingToPublishError, book_for_test
from recommendations.services.weights import blending
from recommendations.services.weights.drafts import StaleDraftError


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.EXPERIMENT)
def try_weights(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft of weights for everyone becomes a version that only experiments serve; what is live stays live."""
    draft = or_404(find_draft_weights(pk))
    if request.method != "POST":
        return _weights_page(request, draft)
    note, override = note_in(request.POST), "override" in request.POST
    again = partial(_weights_page, request, draft, status=422)
    try:
        blending.publish_for_test(
            weights=draft, by=staff_of(request), now=timezone.now(), note=note, override=override,
            revision=number(request.POST.get("revision")),
        )  # fmt: skip
    except NoteNeededError:
        return again(more={"note_error": _("Say why: it stays with the version.")})
    except blending.GateClosedError:
        return again(more={"gate_error": _("Tick the box to test it anyway.")})
    except StaleDraftError:
        return _weights_page(
            request, draft, more={"problem": _("Someone has changed the draft since you looked.")}, status=409
        )
    except blending.AlreadyPublishedError:
        pass  # somebody else was faster; the version can be tested all the same
    return redirect(reverse("new_experiment", query={"weights": f"{draft.blend.name}:{draft.pk}"}))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.EXPERIMENT)
def try_rules(request: HttpRequest) -> HttpResponse:
    """Drafts of rules become, with what is served, a version that only experiments serve."""
    sent = request.POST if request.method == "POST" else request.GET
    keys = [key for text in sent.getlist("rule") if (key := number(text)) is not None]
    if request.method != "POST":
        return _rules_page(request, keys)
    try:
        book = book_for_test(rules=keys, note=note_in(request.POST), by=staff_of(request), now=timezone.now())
    except NoteNeededError:
        return _rules_page(request, keys, problem=_("Say why: it stays with the version."))
    except FaultyRulesError as error:
        return _rules_page(request, keys, problem=" ".join(finding.text for finding in error.findings))
    except (NothingToPublishError, Rule.DoesNotExist):
        return _nothing_to_try(request)
    return redirect(reverse("new_experiment", query={"rules": book.pk}))


def _weights_page(
    request: HttpRequest, draft: BlendWeights, *, more: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "section": "experiments",
        "draft": draft,
        "gates": [ArmGate(weights=draft, result=blending.gate_result_on(draft))],
        "note": note_in(request.POST),
        "override": "override" in request.POST,
        **(more or {}),
    }
    return render(request, "dashboard/experiments/try_weights.html", context, status=status)


def _rules_page(request: HttpRequest, keys: Sequence[int], *, problem: str = "") -> HttpResponse:
    proposed = proposal(rules(now=timezone.now()), kind=BookAction.PUBLISH, keys=keys)
    if proposed is None or not proposed.keys:
        return _nothing_to_try(request)
    context = {"section": "experiments", "proposal": proposed, "problem": problem, "note": note_in(request.POST)}
    return render(request, "dashboard/experiments/try_rules.html", context, status=422 if problem else 200)


def _nothing_to_try(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("Nothing to test: tick rules with changes that are not live."))
    return redirect("rules")
