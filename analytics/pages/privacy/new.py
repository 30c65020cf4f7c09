"""A new request for an export or an erasure: ids come with a form alone, and are sealed as they arrive."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from analytics.pages.access.permission import requires, staff_of
from analytics.pages.addresses import or_404
from analytics.pages.privacy.form import PrivacyForm
from recommendations.customer_codes import customer_key
from recommendations.models import Customer, PrivacyRequest
from recommendations.privacy_terms import EraseMode, RequestKind
from recommendations.services.access.policy import Action
from recommendations.services.privacy.requests import (
    EraseAsk,
    ExportAsk,
    ReferenceReusedError,
    ask_erase,
    ask_export,
)
from recommendations.services.privacy.sealed import missing_settings

MADE_UP = "made-up-customer"
"""An id that no shop has: whoever wants to see what an export is like asks for that of nobody."""


@sensitive_post_parameters("user_id", "anonymous_ids")
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.HANDLE_PRIVACY)
def new_privacy_request(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, PrivacyForm(initial=_initial(request)))
    form = PrivacyForm(request.POST)
    if not form.is_valid() or missing_settings():
        return _page(request, form, status=422)
    try:
        record = _ask(request, form.cleaned_data)
    except ReferenceReusedError:
        form.add_error("reference", _("Another request has this reference. Choose another one, or none."))
        return _page(request, form, status=422)
    messages.success(request, _("The request is taken in. This page follows it."))
    return redirect("privacy_request", pk=record.pk)


def _ask(request: HttpRequest, given: dict[str, Any]) -> PrivacyRequest:
    """Ask for what the form says. Raises ReferenceReusedError."""
    customer: Customer | None = given["customer"]
    wish: dict[str, Any] = {
        "user_id": given.get("user_id") or None,
        "anonymous_ids": given.get("anonymous_ids", ()),
        "customer": customer.pk if customer else None,
        "language": get_language(),
        "reference": given["reference"] or None,
    }
    by, now = staff_of(request), timezone.now()
    if given["kind"] == RequestKind.EXPORT:
        return ask_export(ExportAsk(**wish), by=by, now=now)
    return ask_erase(EraseAsk(**wish, mode=given["mode"], export_first=given["export_first"]), by=by, now=now)


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What the address says: the kind, the customer by the code, or that it is a try."""
    kind = request.GET.get("kind")
    initial = {"kind": kind if kind in set(RequestKind) else RequestKind.EXPORT, "mode": EraseMode.FORGET}
    if "example" in request.GET:
        initial["user_id"] = MADE_UP
    if code := request.GET.get("customer"):
        initial["customer"] = or_404(Customer.objects.filter(pk=customer_key(code) or 0, erased_at=None).first()).code
    return initial


def _page(request: HttpRequest, form: PrivacyForm, *, status: int = 200) -> HttpResponse:
    context = {
        "section": "privacy", "form": form, "missing": missing_settings(),
        "customer": Customer.objects.filter(pk=customer_key(str(form["customer"].value() or "")) or 0).first(),
    }  # fmt: skip
    return render(request, "dashboard/privacy/new.html", context, status=status)
