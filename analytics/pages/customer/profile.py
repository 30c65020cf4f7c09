"""The review of one customer: what they like, did, and are recommended: live, as tested, at another time, with a draft.

All that is chosen stands in the address, simulated acts too; looking stores nothing.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.charts import customer as charts
from analytics.pages.customer.filters import chips, jumps
from analytics.pages.customer.found import open_found
from analytics.pages.customer.recommendations import recommendations
from analytics.parameters import number
from analytics.queries.customer import profile as query
from analytics.queries.customer.filters import Filters
from analytics.queries.customer.level import standings
from analytics.queries.customer.order import place
from analytics.queries.layout import read_frame
from analytics.queries.search import find_items
from recommendations.customer_codes import customer_code
from recommendations.models import Customer
from recommendations.services.customers import find_customers
from recommendations.services.review.acts import simulated_acts
from recommendations.services.review.change_point import changed_since

SENT_AS = {"around", "add", "why_not"}
"""Parameters that an item, found by its title, is sent as."""
TYPED = {"act", "add", "find"}
"""Parameters of forms that do not stay in the address."""


@require_safe
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    frame = read_frame()
    person = query.person(pk, model=frame.model)
    if person is None:
        return _elsewhere(request, pk)
    if TYPED & request.GET.keys():
        return redirect(_settled(request, pk))
    filters, timeline = Filters(request.GET), query.timeline(person.keys)
    context = {
        "section": "customers",
        "frame": frame,
        "person": person,
        "standing": standings([pk])[pk],
        "jumps": jumps(request.GET),
        "chips": chips(request.GET, filters, known=[person.segment] if person.segment else []),
        "place": place(pk, filters, frame=frame),
        "changed_since": changed_since(pk) if person.interests else None,
        "timeline": timeline,
        "timeline_figure": charts.timeline(timeline.weeks, weeks=_("Week"), events=_("Events a week")).to_json(
            engine="orjson"
        ),
        "interests_figure": charts.interests(
            person.interests, long_term=_("90 days"), lately=_("7 days"), axis=_("Share of activity, %")
        ).to_json(engine="orjson"),
        "events": query.last_events(person.keys),
    }
    return render(request, "dashboard/customer/profile.html", context | recommendations(request, person, frame=frame))


@require_safe
def item_suggestions(request: HttpRequest) -> HttpResponse:
    """Items to choose while a title is being typed; ``as`` names the parameter that the chosen one is sent as."""
    text, sent_as = request.GET.get("find", "").replace("\x00", ""), request.GET.get("as", "")
    context = {"items": find_items(text), "find": text, "sent_as": sent_as if sent_as in SENT_AS else "around"}
    return render(request, "dashboard/customer/item_suggestions.html", context)


@require_safe
def by_id(request: HttpRequest, typed: str) -> HttpResponse:
    """Open the customer with an id of the shop, as its pages link to; else say what to do."""
    named = find_customers(typed=typed)
    return open_found(request, named[0]) if named else _unknown(request, typed, from_shop=True)


def _elsewhere(request: HttpRequest, pk: int) -> HttpResponse:
    """Redirect an anonymous key to the customer that it was merged into, and say so, else say what to do.

    Of who does not want to be known there is what they allow and what is held, nothing that they did or like.
    """
    merged = query.merged_into(pk)
    if merged is None:
        objector = Customer.objects.filter(pk=pk, erased_at=None).first()
        if objector is None:
            return _unknown(request, customer_code(pk))
        return render(request, "dashboard/customer/objects.html", {"section": "customers", "customer": objector})
    text = _("%(customer)s was merged into this customer.") % {"customer": customer_code(pk)}
    messages.info(request, text)
    return redirect("customer", pk=merged)


def _unknown(request: HttpRequest, typed: str, *, from_shop: bool = False) -> HttpResponse:
    """Say that there is no such customer; ``from_shop``: whoever follows a link of the shop's pages is told why."""
    context = {"section": "customers", "typed": typed, "from_shop": from_shop}
    return render(request, "dashboard/customer/unknown.html", context, status=404)


def _settled(request: HttpRequest, pk: int) -> str:
    """The address with what a form simulates put where it belongs, and without what was typed to find an item."""
    sent = request.GET.copy()
    act, item = sent.get("act", ""), sent.get("add", "")
    for name in TYPED:
        sent.pop(name, None)
    if act in simulated_acts() and number(item) is not None:
        sent.appendlist("did", f"{act}:{item}")
    return reverse("customer", args=[pk], query=sent, fragment="recommendations")
