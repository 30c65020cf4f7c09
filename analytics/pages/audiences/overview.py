"""The list of audiences, and what is done with them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, staff_of
from analytics.pages.audiences.editor import audience_or_404
from analytics.pages.undo import offer_undo
from analytics.parameters import number
from analytics.queries.audiences import overview as query
from recommendations.models import Audience
from recommendations.services.access.policy import Action
from recommendations.services.audiences.editing import (
    AudienceIsUsedError,
    archive_audience,
    reorder_audiences,
    restore_audience,
)


@require_safe
def audiences(request: HttpRequest) -> HttpResponse:
    rows = query.audiences()
    archived = Audience.objects.exclude(archived_at=None).order_by("-archived_at")
    context = {
        "section": "audiences",
        "rows": rows,
        "gone": [row for row in rows if row.gone and any(row.users)],
        "people": query.people(),
        "archived": archived,
    }
    return render(request, "dashboard/audiences/overview.html", context)


@post_requires(Action.DRAFT)
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    stored = audience_or_404(pk)
    try:
        archived = archive_audience(audience=stored, by=staff_of(request), now=timezone.now())
    except AudienceIsUsedError as error:
        rules, weights, campaigns = error.users
        if rules:
            facts = {"name": stored.name, "rules": ", ".join(rule.name for rule in rules)}
            messages.warning(request, _("“%(name)s” is used by %(rules)s: change or archive that first.") % facts)
        if weights:
            facts = {"name": stored.name, "weights": ", ".join(map(str, weights))}
            text = _(
                "“%(name)s” has its own weights (%(weights)s): take them offline, or discard the draft, on Weights "
                "first."
            )
            messages.warning(request, text % facts)
        if campaigns:
            facts = {"name": stored.name, "campaigns": ", ".join(each.name for each in campaigns)}
            text = _("“%(name)s” is used by campaigns (%(campaigns)s): change or end them first.")
            messages.warning(request, text % facts)
        return redirect("audience", pk=pk)
    offer_undo(request, _("“%(name)s” is archived.") % {"name": archived.name}, "audience archived", audience=pk)
    return redirect("audiences")


@post_requires(Action.DRAFT)
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    stored = restore_audience(audience=audience_or_404(pk), by=staff_of(request), now=timezone.now())
    messages.success(request, _("“%(name)s” is back.") % {"name": stored.name})
    return redirect("audience", pk=pk)


@post_requires(Action.DRAFT)
def order_audiences(request: HttpRequest) -> HttpResponse:
    """Move one audience up or down (``audience``, ``to``)."""
    order = [row.pk for row in Audience.objects.unarchived()]
    key, to = number(request.POST.get("audience")), request.POST.get("to", "")
    if key in order and to in {"up", "down"}:
        before, at = list(order), order.index(key)
        order.insert(max(0, at - 1) if to == "up" else at + 1, order.pop(at))
        reorder_audiences(keys=order, by=staff_of(request))
        if order != before:
            offer_undo(request, _("The order is changed."), "audiences moved", before=before, after=order)
    return redirect(reverse("audiences", fragment=f"{to}-{key}"))
