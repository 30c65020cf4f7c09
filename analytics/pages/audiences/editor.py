"""The editor of an audience: who, but not whom, and how many that are. What is saved acts at once."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.audiences.form import AudienceEditor
from analytics.pages.undo import offer_undo
from analytics.parameters import number, typed
from analytics.queries.audiences import overview as query
from analytics.queries.audiences.words import AudienceNames
from analytics.queries.last_change import last_change
from analytics.queries.rules.values import offered_by_rows
from analytics.queries.segments.choices import segment_choices
from recommendations.models import Audience
from recommendations.services.access.policy import Action
from recommendations.services.audiences import editing
from recommendations.services.audiences.editing import StaleAudienceError, save_audience, users_of
from recommendations.services.audiences.form import LONGEST_NAME, checked
from recommendations.wording import labels

FIELDS = {"name": gettext_lazy("Name"), "conditions": gettext_lazy("Who")}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.DRAFT)
def new_audience(request: HttpRequest) -> HttpResponse:
    """An empty form, or one that is filled in as its fields stand in the address."""
    if request.method == "POST":
        return _take(request, None)
    filled = AudienceEditor.sent(request.GET)
    return _render(request, None, filled if filled.rows else AudienceEditor.blank())


@require_http_methods(["GET", "HEAD", "POST"])
def audience(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method == "POST":
        return _change(request, pk)
    stored = audience_or_404(pk)
    return _render(request, stored, AudienceEditor.of(stored))


@requires(Action.DRAFT)
def _change(request: HttpRequest, pk: int) -> HttpResponse:
    return _take(request, audience_or_404(pk))


@post_requires(Action.DRAFT)
def audience_count(request: HttpRequest) -> HttpResponse:
    """How many customers meet what stands in the form, with three of them; a part of the editor."""
    return render(request, "dashboard/audiences/count.html", _count_of(AudienceEditor.sent(request.POST)))


@require_safe
def audience_categories(request: HttpRequest) -> HttpResponse:
    """Categories to choose from, while one is being typed."""
    text = next((typed(str(value), longest=200) for value in request.GET.values()), "")
    return render(request, "dashboard/audiences/options.html", {"options": query.offered_categories(text)})


def audience_or_404(pk: int) -> Audience:
    return or_404(query.find_audience(pk))


def _take(request: HttpRequest, found: Audience | None) -> HttpResponse:
    """Save what was sent, or show it again: after a button of a row, with errors, or beside somebody else's."""
    form = AudienceEditor.sent(request.POST)
    if command := request.POST.get("edit", ""):
        response = _render(request, found, form.after(command))
        response["HX-Trigger"] = "rule-changed"
        return response
    revision = number(request.POST.get("over")) or number(request.POST.get("revision"))
    by, now = staff_of(request), timezone.now()
    before = {"name": found.name, "conditions": found.conditions} if found else None
    try:
        saved = save_audience(
            audience=found, name=form.name, conditions=form.conditions, revision=revision, by=by, now=now
        )
    except ValidationError as error:
        form.complain(error)
        return _render(request, found, form, status=422)
    except StaleAudienceError as error:
        return _render(request, error.current, form, more={"stale": _stale(error)}, status=409)
    text = _("“%(name)s” saved. Rules for it follow at once.") % {"name": saved.name}
    if before and (saved.name, saved.conditions) != (before["name"], before["conditions"]):
        offer_undo(request, text, "audience changed", audience=saved.pk, revision=saved.revision, **before)
    else:
        messages.success(request, text)
    return redirect("audience", pk=saved.pk)


def _render(
    request: HttpRequest,
    found: Audience | None,
    form: AudienceEditor,
    *,
    more: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    segments = segment_choices()
    context = {
        "section": "audiences",
        "audience": found,
        "address": reverse("audience", args=[found.pk]) if found else reverse("new_audience"),
        "revision": number(request.POST.get("revision")) or (found.revision if found else ""),
        "form": form,
        "kinds": labels.AUDIENCE_KINDS,
        "operators": labels.OPERATORS,
        "segments": segments,
        "gone_segments": _gone_segments(form, live=dict(segments)),
        "properties": query.offered_properties(),
        "longest_name": LONGEST_NAME,
        **offered_by_rows(),
        **(_of(found) if found else {}),
        **(more or {}),
    }
    return render(request, "dashboard/audiences/editor.html", context, status=status)


def _of(found: Audience) -> dict[str, Any]:
    names = AudienceNames.of([found.conditions])
    return {
        "users": users_of(found),
        "gone": editing.gone(found.conditions, there=names.categories),
        "words": names.sentence(found.conditions),
    }


def _gone_segments(form: AudienceEditor, *, live: Mapping[str, str]) -> list[tuple[str, str]]:
    """Chosen segments that the live version no longer has, which stay chosen and say so."""
    chosen = dict.fromkeys(segment for row in form.rows for segment in row.segments if segment not in live)
    return [segment_choices(segment)[-1] for segment in chosen]


def _count_of(form: AudienceEditor) -> dict[str, Any]:
    try:
        conditions = checked(form.conditions)
    except ValidationError as error:
        return {"counted": None, "problems": dict.fromkeys(error.messages)}
    counted = editing.count(conditions, now=timezone.now())
    names = AudienceNames.of([conditions])
    return {
        "counted": counted,
        "people": query.people(),
        "words": names.sentence(conditions),
        "examples": names.matches(counted, conditions),
    }


def _stale(error: StaleAudienceError) -> dict[str, Any]:
    names = AudienceNames.of(
        value for each in error.differences for value in (each.yours, each.theirs) if each.field == "conditions"
    )
    who, at = last_change("audience", error.current.pk, verbs=("create", "change"))
    told = [
        (each.field, *((names.sentence(value) if each.field == "conditions" else value) for value in each[1:]))
        for each in error.differences
    ]
    return {
        "who": who,
        "at": at,
        "revision": error.current.revision,
        "differences": [{"words": FIELDS[name], "mine": mine, "theirs": theirs} for name, mine, theirs in told],
    }
