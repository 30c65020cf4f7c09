"""What is held of a customer in every place, counted when somebody asks: a part of the page, and one of its own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from analytics.queries.customer.profile import merged_into
from analytics.queries.privacy.holdings import held_of
from recommendations.models import Customer


@require_safe
def customer_held(request: HttpRequest, pk: int) -> HttpResponse:
    """Count what all keys of a customer have."""
    owner = merged_into(pk)
    if owner is not None:
        return redirect("customer_held", pk=owner)
    customer = get_object_or_404(Customer, pk=pk, erased_at=None)
    template = f"dashboard/customer/held{'' if 'HX-Request' in request.headers else '_page'}.html"
    return render(request, template, {"section": "customers", "customer": customer, "held": held_of(pk)})
