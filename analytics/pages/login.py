"""Sign in with e-mail address and password; after five wrong passwords the page says how long to wait (axes)."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse

from analytics.pages.preferences import settle_preferences
from recommendations.models import Staff


def account_of(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Whose failures a wrong password counts among: the address is the same in any case."""
    given = credentials or request.POST
    return str(given.get("username") or "").strip().lower()


class Login(LoginView):
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        staff = form.get_user()
        if isinstance(staff, Staff):
            settle_preferences(self.request, staff=staff, response=response)
        return response
