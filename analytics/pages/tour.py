"""The tour: stops on the real pages, one after the other, by ``?tour=3`` in the address.

Each stop has one sentence, beside the element that it speaks of; where that is missing, at the top of the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from analytics.pages.access.permission import staff_of
from analytics.pages.addresses import own_address
from recommendations.services.access.staff import end_tour

TOUR = "tour"


@dataclass(frozen=True, kw_only=True)
class Stop:
    """``page``: name of an address; ``anchor``: selector of the element that the stop speaks of."""

    page: str
    anchor: str
    title: Promise
    words: Promise


@dataclass(frozen=True, kw_only=True)
class TourView:
    """A stop as its page shows it; ``back`` and ``onward`` are addresses, "" at the ends."""

    number: int
    of: int
    stop: Stop
    back: str
    onward: str
    here: str  # the page without the tour


STOPS: Sequence[Stop] = (
    Stop(
        page="overview", anchor=".earns", title=_("What recommendations earn"),
        words=_("Revenue from what was bought from a list, day by day, next to its share of your turnover."),
    ),
    Stop(
        page="overview", anchor=".works", title=_("How well they work"),
        words=_("Of 100 customers, how many find something they buy, against lists that need no model."),
    ),
    Stop(
        page="overview", anchor=".needs", title=_("What needs you"),
        words=_("Alerts, drafts and rules that end soon: start your morning here."),
    ),
    Stop(
        page="random_customer", anchor=".why-here", title=_("Why a customer sees an item"),
        words=_("“Why here” adds the score up, part by part; above, ask why an item is not shown."),
    ),
    Stop(
        page="weights", anchor="[data-setting]", title=_("Move a weight"),
        words=_("Each move is measured on real customers at once, and nothing is live before it is published."),
    ),
    Stop(
        page="rules", anchor="main .btn-primary", title=_("A rule and its price"),
        words=_("Pin, boost or exclude items; before you save a rule you see what it costs or earns."),
    ),
    Stop(
        page="shop_pages", anchor="main .card", title=_("The page as a customer sees it"),
        words=_("Any customer, live or with your drafts; drag a card to pin it."),
    ),
    Stop(
        page="activity", anchor="main .card", title=_("Who changed what"),
        words=_("Every change is here with its reason, and drafts wait for a second pair of eyes under Approvals."),
    ),
)  # fmt: skip


def tour_of(request: HttpRequest) -> TourView | None:
    """The stop that the address asks for; None where it asks for none."""
    text = request.GET.get(TOUR, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0
    if not 1 <= number <= len(STOPS):
        return None
    parameters = request.GET.copy()
    del parameters[TOUR]
    return TourView(
        number=number,
        of=len(STOPS),
        stop=STOPS[number - 1],
        back=_address(number - 1),
        onward=_address(number + 1),
        here=request.path + (f"?{parameters.urlencode()}" if parameters else ""),
    )


@require_POST
def leave_tour(request: HttpRequest) -> HttpResponse:
    """Remember that somebody has seen the tour, or left it; the page stays where it is."""
    end_tour(staff=staff_of(request), now=timezone.now())
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect(own_address(request, request.POST.get("next", ""), otherwise="overview"))


def _address(number: int) -> str:
    if not 1 <= number <= len(STOPS):
        return ""
    return reverse(STOPS[number - 1].page, query={TOUR: number})
