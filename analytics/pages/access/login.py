"""Sign in with e-mail address and password; after five wrong passwords the page says how long to wait (axes)."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from analytics.pages.access.preferences import settle_preferences
from recommendations.models import Staff
from recommendations.services.access.sign_in import sign_in, sign_out


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


class Login(LoginView):
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        staff = form.get_user()
        assert isinstance(staff, Staff)  # noqa: S101 - for the type checker; there are no other accounts
        sign_in(self.request, staff=staff)
        response = HttpResponseRedirect(self.get_success_url())
        settle_preferences(self.request, staff=staff, response=response)
        return response


class Logout(LogoutView):
    def post(self, request: HttpRequest, *_arguments: Any, **_options: Any) -> HttpResponse:
        sign_out(request)
        return HttpResponseRedirect(self.get_success_url())
