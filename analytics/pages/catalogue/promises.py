"""New items: what a placement promises them, how that goes, what it costs, and who waits."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts.promises import promise_paces
from analytics.exports.promises import new_items_file
from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.catalogue.promise_form import PromiseFields
from analytics.pages.undo import offer_undo
from analytics.parameters import note_in, number
from analytics.queries.catalogue import promises as query
from analytics.templatetags.words import label
from recommendations.models import NewItem, NewItemBudget, NewItemPromise, Placement
from recommendations.promise_terms import NewItemState
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.access.policy import Action
from recommendations.services.promises import acts, readiness
from recommendations.services.promises.publishing import (
    PromiseForm,
    StalePromiseError,
    form_of,
    publish_promise,
    rule_of,
    usual_promise,
)
from recommendations.wording import promise_labels


@require_safe
def new_items(request: HttpRequest) -> HttpResponse:
    """How the promises of a placement go; the form is that which counts, or an earlier version ``like`` its number."""
    now = timezone.now()
    every = query.placements()
    pair = query.chosen(every, request.GET.get("placement", ""))
    if pair is not None and request.GET.get("format") == "csv":
        return new_items_file(query.every_row(pair[0], state=request.GET.get("state", ""), now=now))
    if pair is None:
        return render(request, "dashboard/catalogue/new_items.html", {"section": "catalogue", "placement": None})
    placement, promise = pair
    like = number(request.GET.get("like"))
    earlier = NewItemPromise.objects.filter(placement=placement, number=like).first() if like is not None else None
    stored = earlier or promise
    form = form_of(stored) if stored else usual_promise()
    fields = PromiseFields(initial=PromiseFields.initial_of(form))
    return _page(request, placement, fields, form, every=every, like=earlier)


@require_safe
def promise_price(request: HttpRequest) -> HttpResponse:
    """What the promise of a form would carry and cost; a part of the page."""
    placement, fields = _placement(request.GET.get("placement", "")), PromiseFields(request.GET)
    context: dict[str, Any] = {"unfinished": not fields.is_valid()}
    if fields.is_valid():
        now = timezone.now()
        context["sums"] = query.arithmetic(
            placement, fields.promise(), answers_a_day=readiness.answers_a_day(placement, now=now), now=now
        )
        context["form"] = fields.promise()
    return render(request, "dashboard/catalogue/promise_price.html", context)


@post_requires(Action.PUBLISH)
def publish_new_promise(request: HttpRequest) -> HttpResponse:
    """Let a placement promise what the form says; where it cannot, the form comes back with the reason."""
    placement, fields = _placement(request.POST.get("placement", "")), PromiseFields(request.POST)
    if not fields.is_valid():
        return _page(request, placement, fields, None, status=422)
    form, now = fields.promise(), timezone.now()
    based_on = number(request.POST.get("based_on")) or 0
    try:
        made = publish_promise(
            placement, form, note=note_in(request.POST), by=staff_of(request), now=now, based_on=based_on
        )
    except ValidationError as error:
        fields.complain(error)
        return _page(request, placement, fields, form, status=422)
    except NoteNeededError:
        return _page(request, placement, fields, form, status=422, note_missing=True)
    except StalePromiseError as error:
        return _page(request, placement, fields, form, status=409, stale=error.current)
    text = _("Published as n%(number)d. What was promised before is kept as it was promised.")
    offer_undo(request, text % {"number": made.number}, "promise published", promise=made.pk)
    return redirect(reverse("new_items", query={"placement": placement.name}))


@post_requires(Action.PUBLISH)
def step_new_item(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an item that waits first, or back into the line; take one out, or let it in again."""
    new = get_object_or_404(NewItem.objects.select_related("placement"), pk=pk)
    by, now = staff_of(request), timezone.now()
    steps = {
        "first": lambda: acts.put_first(new, first=True, by=by),
        "line": lambda: acts.put_first(new, first=False, by=by),
        "out": lambda: acts.take_out(new, by=by, now=now),
        "in": lambda: acts.let_in(new, by=by),
    }
    words = {
        "first": _("It gets the next promise that there is room for."),
        "line": _("It waits like the others again."),
        "out": _("It gets no more free slots here; the ranking may still show it."),
        "in": _("It waits for a promise again; what it was shown counts."),
    }
    step, back = request.POST.get("step", ""), reverse("new_items", query={"placement": new.placement.name})
    if step not in steps:
        raise Http404
    try:
        steps[step]()
    except acts.NewItemMovedError:
        messages.warning(request, _("Nothing was changed: the item is in another state by now."))
    else:
        messages.success(request, words[step])
    return redirect(back)


def _placement(name: str) -> Placement:
    return get_object_or_404(Placement.objects.select_related("blend"), name=name, enabled=True)


def _page(
    request: HttpRequest,
    placement: Placement,
    fields: PromiseFields,
    form: PromiseForm | None,
    *,
    every: Sequence[tuple[Placement, NewItemPromise | None]] | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    now = timezone.now()
    every = query.placements() if every is None else every
    promise = next((live for row, live in every if row.pk == placement.pk), None)
    live = form_of(promise) if promise else usual_promise()
    is_open = promise is None or status != HTTPStatus.OK or bool(context.get("like"))
    context |= {
        "section": "catalogue", "placements": every, "placement": placement, "promise": promise, "is_open": is_open,
        "fields": fields, "form": form, "note": note_in(request.POST), "sentence": query.sentence(placement, promise),
        **(_promised(request, placement, live, now=now) if promise else _unpromised(placement, live, now=now)),
    }  # fmt: skip
    if is_open and form:
        rate = readiness.answers_a_day(placement, now=now)
        context["sums"] = query.arithmetic(placement, form, answers_a_day=rate, now=now)
    return render(request, "dashboard/catalogue/new_items.html", context, status=status)


def _unpromised(placement: Placement, form: PromiseForm, *, now: datetime) -> dict[str, Any]:
    """What there is to say where nothing was ever promised: whom a promise would be for."""
    return {"unnoted": readiness.ready(placement, form, now=now)}


def _promised(request: HttpRequest, placement: Placement, form: PromiseForm, *, now: datetime) -> dict[str, Any]:
    """How the promises of a placement go."""
    state = request.GET.get("state", "")
    counted = query.counts(placement, readiness.lacking(placement, form, now=now), now=now)
    page = query.page(placement, counted, state=state, number=request.GET.get("page", ""), now=now)
    return {
        "room": NewItemBudget.objects.filter(placement=placement).first(), "outcome": query.outcome(counted),
        "counted": counted, "page": page, "rows": query.rows(list(page), now=now), "state": state,
        "lacking": [(label(promise_labels.LACKING, code), count) for code, count in counted.lacking.items()],
        "states": promise_labels.STATES, "figure": _figure(placement, form, now=now),
        "versions": query.versions(placement),
    }  # fmt: skip


def _figure(placement: Placement, form: PromiseForm, *, now: datetime) -> str:
    """The promises in a figure as JSON; empty where none was given lately."""
    points = query.points(placement, now=now)
    if not points:
        return ""
    words = {state: label(promise_labels.STATES, state) for state in NewItemState}
    figure = promise_paces(
        points, impressions=form.impressions, days=form.days, planned=rule_of(form).planned, words=words,
        pace=_("Planned pace"), axes=(_("Days since the promise"), _("Impressions")),
    )  # fmt: skip
    return str(figure.to_json(engine="orjson"))
