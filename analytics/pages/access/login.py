"""Sign in with e-mail address and password; after five wrong passwords the page says how long to wait (axes)."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from analytics.pages.access.preferences import settle_preferences
from recommendations.models import Staff


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
        response = super().form_valid(form)
        staff = form.get_user()
        if isinstance(staff, Staff):
            settle_preferences(self.request, staff=staff, response=response)
        return response
