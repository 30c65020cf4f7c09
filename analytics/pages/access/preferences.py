"""Language and theme: usable before login, remembered for the staff member afterwards.

Two cookies carry the choice from page to page. What was chosen on the login page waits in the session, so that
signing in keeps it; whoever chose nothing there gets what they had in their last browser.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from analytics.pages.addresses import own_address
from recommendations.models import Staff
from recommendations.services.access.staff import remember_preferences

THEME_COOKIE = f"{settings.COOKIE_PREFIX}recsite_theme"
CHOSEN = "chosen"  # session key
YEAR = 60 * 60 * 24 * 365


class PreferencesForm(forms.Form):
    theme = forms.ChoiceField(choices=Staff.Theme.choices, required=False)
    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)


@require_POST
@login_not_required
def preferences(request: HttpRequest) -> HttpResponse:
    form = PreferencesForm(request.POST)
    chosen = {name: value for name, value in form.cleaned_data.items() if value} if form.is_valid() else {}
    response = HttpResponseRedirect(own_address(request, request.POST.get("next", ""), otherwise="/"))
    keep_in_browser(response, **chosen)
    if isinstance(request.user, Staff):
        remember_preferences(staff=request.user, **chosen)
    elif chosen:
        request.session[CHOSEN] = request.session.get(CHOSEN, {}) | chosen
    return response


def settle_preferences(request: HttpRequest, *, staff: Staff, response: HttpResponse) -> None:
    """Remember at login what was chosen on the login page; where nothing was, the staff member's own choice applies."""
    chosen: dict[str, Any] = request.session.pop(CHOSEN, {})
    remember_preferences(staff=staff, **chosen)
    keep_in_browser(response, **({"language": staff.language, "theme": staff.theme} | chosen))


def keep_in_browser(response: HttpResponse, *, language: str | None = None, theme: str | None = None) -> None:
    secure = settings.SESSION_COOKIE_SECURE
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR, secure=secure, samesite="Lax", httponly=True
        )
    if theme:
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR, secure=secure, samesite="Lax", httponly=True)


def theme_of(request: HttpRequest) -> str:
    """The theme of this browser; "as the system" where the cookie names none."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in Staff.Theme.values else Staff.Theme.AUTO.value
