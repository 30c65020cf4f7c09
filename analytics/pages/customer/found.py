"""The way from an id that somebody typed to the page of that customer."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from recommendations.services.customers import FoundCustomer


def open_found(request: HttpRequest, found: FoundCustomer) -> HttpResponse:
    """Open the customer and, where an id of the shop was typed, say so: without the id, as a session is stored."""
    if found.shop_id:
        messages.info(request, _("Found by your shop's id: this is customer %(code)s.") % {"code": found.customer})
    return redirect("customer", pk=found.customer.pk)
