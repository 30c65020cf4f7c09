"""The form that says which lists stand on a page of the shop, and in which order."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analytics.pages.access.permission import requires, staff_of
from analytics.parameters import number, typed
from analytics.queries.shop_page import PlacementOnPage, placements_of
from recommendations.models import ShopPage
from recommendations.services.access.policy import Action
from recommendations.services.operations.shop_pages import arrange_page

LONGEST = 4  # digits


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.SET_PLACEMENTS)
def arrange_shop_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show the placements of a page, or put those that were sent on it; what was typed wrongly is kept."""
    page = get_object_or_404(ShopPage, name=name)
    rows = placements_of(page)
    context: dict[str, Any] = {"section": "pages", "name": name, "rows": rows}
    if request.method != "POST":
        return render(request, "dashboard/shop_page/arrange.html", context)
    sent = [_sent(request, row) for row in rows]
    problem = next((text for row in sent if (text := _problem(row))), "")
    if not problem:
        chosen = sorted((row for row in sent if row.position), key=lambda row: int(row.position))
        try:
            arrange_page(page=page, slots=[(row.placement, number(row.n)) for row in chosen], by=staff_of(request))
        except ValidationError as error:
            problem = " ".join(error.messages)
        else:
            messages.success(request, _("Saved: the next requests get these lists."))
            return redirect("shop_page", name=name)
    return render(request, "dashboard/shop_page/arrange.html", context | {"rows": sent, "problem": problem}, status=422)


def _sent(request: HttpRequest, row: PlacementOnPage) -> PlacementOnPage:
    key = row.placement.pk
    position, n = (typed(request.POST.get(f"{field}-{key}"), longest=LONGEST) for field in ("position", "n"))
    return replace(row, position=position, n=n)


def _problem(row: PlacementOnPage) -> str:
    """What is wrong with a row, or an empty text."""
    if row.position and not number(row.position):
        return _("%(placement)s: the position must be a number from 1.") % {"placement": row.placement}
    if row.n and not 1 <= (number(row.n) or 0) <= 100:
        return _("%(placement)s: the number of items is from 1 to 100.") % {"placement": row.placement}
    return ""
