"""Customers, known by pseudonym only. Staff may type the shop's own id: it is hashed to search, and kept nowhere."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from recommendations.admin.rights import PolicyAdmin
from recommendations.models import Customer
from recommendations.services.customers import find_customers

SHORT = 12  # hexadecimal digits that tell customers apart on a page


@admin.register(Customer)
class CustomerAdmin(PolicyAdmin[Customer]):
    list_display = ("__str__", "short_pseudonym", "kind", "personalise", "created_at")
    list_filter = ("kind", "personalise")
    search_fields = ("pk",)  # shows the box; what is typed goes to the service
    search_help_text = _("The customer's code, such as C-7K4F, or the shop's own id.")
    fields = readonly_fields = ("code", "whole_pseudonym", "kind", "personalise", "created_at", "review")
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """All but those who were erased, whose rows go within minutes."""
        return super().get_queryset(request).filter(erased_at=None)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=[one.customer.pk for one in find_customers(typed=search_term)]), False

    @admin.display(description=_("pseudonym"))
    def short_pseudonym(self, customer: Customer) -> str:
        return f"{_hex(customer)[:SHORT]}…"

    @admin.display(description=_("pseudonym"))
    def whole_pseudonym(self, customer: Customer) -> str:
        return _hex(customer)

    @admin.display(description=_("code"))
    def code(self, customer: Customer) -> str:
        return customer.code

    @admin.display(description=_("review"))
    def review(self, customer: Customer) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("customer", args=[customer.pk]), _("Open in the dashboard"))


def _hex(customer: Customer) -> str:
    value: Any = customer.pseudonym
    return bytes(value).hex()
