"""Messages of a customer, a part of the panel *Reach* that is loaded after it, and a page where no script runs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from analytics.queries.customer.messages import messages_of
from analytics.queries.customer.profile import merged_into, merged_keys
from recommendations.models import Customer


@require_safe
def customer_messages(request: HttpRequest, pk: int) -> HttpResponse:
    """What all keys of a customer got, what they still bear, and what comes next."""
    owner = merged_into(pk)
    if owner is not None:
        return redirect("customer_messages", pk=owner)
    customer = get_object_or_404(Customer, pk=pk, erased_at=None)
    told = messages_of([pk, *merged_keys(pk)], now=timezone.now(), personalise=customer.personalise)
    part = "HX-Request" in request.headers
    return render(
        request,
        f"dashboard/customer/messages{'' if part else '_page'}.html",
        {"section": "customers", "customer": customer, "told": told},
    )
