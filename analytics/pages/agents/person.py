"""The agent's decisions on one person: why this, why now or not, by chance or not, and what would change it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.parameters import number
from analytics.queries.agents.person import person_now
from analytics.queries.customer.profile import merged_into
from recommendations.models import Customer


@require_safe
def agent_person(request: HttpRequest, customer: int) -> HttpResponse:
    """The latest decisions, and the one that the address asks for."""
    owner = merged_into(customer)
    if owner is not None:
        return redirect("agent_person", customer=owner)
    stored = get_object_or_404(Customer, pk=customer, erased_at=None)
    told = person_now(customer, shown=number(request.GET.get("decision")), now=timezone.now())
    return render(request, "dashboard/agents/person.html", {"section": "campaigns", "customer": stored, "told": told})
