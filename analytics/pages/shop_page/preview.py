"""A page of the shop as somebody would see it, and a pin that is tried on it before it is a draft."""

from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.customer.actions import LONGEST_NAME
from analytics.pages.customer.filters import carried
from analytics.pages.rules.effect import of_rule
from analytics.pages.undo import offer_undo
from analytics.parameters import number, typed
from analytics.queries.customer.filters import Filters
from analytics.queries.customer.listing import somebody
from analytics.queries.layout import read_frame
from analytics.queries.shop_page import PreviewRequest, pages, preview
from recommendations.customer_codes import customer_code
from recommendations.models import Customer, Item
from recommendations.services.access.policy import Action
from recommendations.services.customers import find_customers
from recommendations.services.review.page_review import NotLoadedError, UnknownPageError
from recommendations.services.rules.card_rules import pin_values
from recommendations.services.rules.editing import drafted, save_rule

LONGEST_TYPED = 128
RANDOM = "random"
ASKED = ("customer", "item", "draft", "width")
"""Parameters that say how a page is looked at."""


@require_safe
def shop_pages(request: HttpRequest) -> HttpResponse:
    """Lead to the first page of the shop, which is looked at as the address says."""
    names = [page.name for page in pages()]
    if not names:
        raise Http404
    return redirect(reverse("shop_page", args=[names[0]], query=request.GET))


@require_safe
def shop_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show the lists of a page, live or with the rules that wait, as wide as a desk or a phone."""
    if request.GET.get("customer") == RANDOM:
        key = somebody(Filters(QueryDict()), frame=read_frame())
        return redirect(_address(request, name, customer=customer_code(key) if key else ""))
    asked = PreviewRequest(
        page=name,
        customer=typed(request.GET.get("customer"), longest=LONGEST_TYPED),
        item=typed(request.GET.get("item"), longest=LONGEST_TYPED),
        draft=request.GET.get("draft") == "yes",
    )
    context: dict[str, Any] = {
        "section": "pages",
        "name": name,
        "pages": pages(),
        "asked": asked,
        "phone": request.GET.get("width") == "phone",
        "query": carried(request.GET, *ASKED),
    }
    try:
        context["preview"] = preview(asked, now=timezone.now())
    except UnknownPageError:
        raise Http404 from None
    except NotLoadedError:
        context["problem"] = _("The model is still loading. Try again in a few seconds.")
    return render(request, "dashboard/shop_page/preview.html", context)


class TriedPin(NamedTuple):
    """An item, and the place of a list at which it is to stand, looked at as a customer or as somebody new."""

    item: Item
    placement: str
    slot: int | None
    looked_at: Customer | None

    def values(self, *, only: bool = False) -> dict[str, Any]:
        """Values of the rule: for everybody, or only for the customer who is looked at."""
        whom = self.looked_at if only else None
        return pin_values(self.item, slot=self.slot, placement=self.placement, customer=whom)


@require_safe
@requires(Action.DRAFT)
def pin_price(request: HttpRequest, name: str) -> HttpResponse:
    """Show what a pin would do to everybody, before anything is saved."""
    pin = _pin(request.GET, looked_at=request.GET.get("customer"))
    context: dict[str, Any] = {"section": "pages", "name": name, "pin": pin, "query": carried(request.GET, *ASKED)}
    try:
        context["effect"] = of_rule(drafted(rule=None, values=pin.values()), on=pin.placement)
    except ValidationError as error:
        context["trouble"] = " ".join(error.messages)
    part = "pin.html" if request.headers.get("HX-Request") else "pin_alone.html"
    return render(request, f"dashboard/shop_page/{part}", context)


@post_requires(Action.DRAFT)
def pin_item(request: HttpRequest, name: str) -> HttpResponse:
    """Make the pin a draft rule, and show the page with it."""
    pin = _pin(request.POST, looked_at=request.GET.get("customer"))
    values = pin.values(only=request.POST.get("only") == "yes")
    try:
        rule = save_rule(rule=None, values=values, revision=None, by=staff_of(request), now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(_address(request, name))
    text = _("Draft rule made: “%(rule)s”. Nothing changes in the shop until it is published.") % {"rule": rule}
    offer_undo(request, text, "rule made", rule=rule.pk)
    return redirect(_address(request, name, draft="yes"))


def _pin(sent: QueryDict, *, looked_at: str | None) -> TriedPin:
    named = find_customers(typed=typed(looked_at, longest=LONGEST_TYPED))
    return TriedPin(
        item=get_object_or_404(Item, pk=number(sent.get("pinned")) or 0),
        placement=typed(sent.get("placement"), longest=LONGEST_NAME),
        slot=number(sent.get("slot")),
        looked_at=named[0].customer if named else None,
    )


def _address(request: HttpRequest, name: str, **changes: str) -> str:
    return reverse("shop_page", args=[name]) + carried(request.GET, *ASKED, **changes)
