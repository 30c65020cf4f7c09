"""Sign in with e-mail address and password, then a code of the second factor where there is one.

After five wrong ones the page says how long to wait (axes).
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from analytics.pages.access.preferences import settle_preferences
from analytics.pages.addresses import own_address
from recommendations.models import Staff
from recommendations.services.access import sign_in
from recommendations.services.access.second_factor import TooSoonError, is_of_app

WRONG_CODE = _("This code does not match. Wait for the next one: each works once, for half a minute.")
WRONG_RECOVERY_CODE = _("This recovery code is wrong or has been used.")
TOO_SOON = ngettext_lazy(
    "Too soon after a wrong code. Wait %(seconds)d second, then type the code that the app shows.",
    "Too soon after a wrong code. Wait %(seconds)d seconds, then type the code that the app shows.",
    "seconds",
)
BEFORE_SECOND_FACTOR = {"second_factor", "logout"}
"""Names of the pages that somebody reaches who has to set the second factor up first."""


def account_of(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Account that a wrong password counts against: the e-mail address, the same in upper and lower case."""
    given = credentials or request.POST
    return str(given.get("username") or "").strip().lower()


class LoginRequired(LoginRequiredMiddleware):
    """Middleware that sends a page whose session has ended to the login as a whole: htmx would load it into a part."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> Any:
        htmx = getattr(request, "htmx", None)
        if not isinstance(htmx, HtmxDetails) or not htmx:
            return super().handle_no_permission(request, view_func)
        page = urlsplit(htmx.current_url or "/")
        back = urlencode({"next": f"{page.path}?{page.query}" if page.query else page.path})
        return HttpResponseClientRedirect(f"{resolve_url(settings.LOGIN_URL)}?{back}")

    def process_view(self, request: HttpRequest, view_func: Callable[..., Any], *given: Any) -> HttpResponseBase | None:
        """Let nobody in whose second factor is due, but to the pages that set it up."""
        answer = super().process_view(request, view_func, *given)
        if answer is not None or not getattr(view_func, "login_required", True) or not request.session.get(sign_in.DUE):
            return answer
        if request.resolver_match and request.resolver_match.url_name in BEFORE_SECOND_FACTOR:
            return None
        address = reverse("second_factor")
        return HttpResponseClientRedirect(address) if getattr(request, "htmx", None) else HttpResponseRedirect(address)


class Login(LoginView):
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        staff, address = form.get_user(), self.get_success_url()
        assert isinstance(staff, Staff)  # noqa: S101 - for the type checker; there are no other accounts
        if sign_in.begin(self.request, staff=staff):
            return _enter(self.request, staff, address)
        return HttpResponseRedirect(f"{reverse('login_code')}?{urlencode({'next': address})}")


class CodeForm(forms.Form):
    """Form of a code of the second factor."""

    code = forms.CharField(max_length=40)

    def refuse(self, error: TooSoonError | None = None) -> None:
        """Say that the code is wrong, or, with ``error``, that it came too soon."""
        if error is not None:
            self.add_error("code", TOO_SOON % {"seconds": error.seconds})
        else:
            self.add_error("code", WRONG_CODE if is_of_app(self.cleaned_data["code"]) else WRONG_RECOVERY_CODE)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def login_code(request: HttpRequest) -> HttpResponse:
    """Page that asks for the second factor of whoever has typed the right password."""
    staff, form = sign_in.half_in(request), CodeForm(request.POST if request.method == "POST" else None)
    if staff is None:
        return redirect("login")
    if form.is_valid():
        try:
            if sign_in.complete(request, staff=staff, code=form.cleaned_data["code"]):
                target = own_address(request, request.GET.get("next", ""), otherwise=settings.LOGIN_REDIRECT_URL)
                return _enter(request, staff, target)
            form.refuse()
        except TooSoonError as error:
            form.refuse(error)
    return render(request, "registration/code.html", {"form": form})


class Logout(LogoutView):
    def post(self, request: HttpRequest, *_arguments: Any, **_options: Any) -> HttpResponse:
        sign_in.sign_out(request)
        return HttpResponseRedirect(self.get_success_url())


def _enter(request: HttpRequest, staff: Staff, address: str) -> HttpResponse:
    response = HttpResponseRedirect(address)
    settle_preferences(request, staff=staff, response=response)
    return response
