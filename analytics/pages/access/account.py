"""One's own account: the password, the second factor, and the browsers in which one is signed in."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analytics.pages.access.permission import staff_of
from recommendations.models import Staff
from recommendations.services.access import second_factor, sessions
from recommendations.services.access.staff import set_password

WRONG_PASSWORD = gettext_lazy("This is not your password.")


class OwnPasswordForm(PasswordChangeForm):
    """Form of a new password; the old one counts as at the login, and locks after five wrong ones."""

    def __init__(self, request: HttpRequest, *given: Any) -> None:
        self._request = request
        super().__init__(staff_of(request), *given)

    def clean_old_password(self) -> str:
        password = str(self.cleaned_data["old_password"])
        if authenticate(self._request, username=self.user.email, password=password) is None:
            raise forms.ValidationError(WRONG_PASSWORD)
        return password

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("new_password1") and given["new_password1"] == given.get("old_password"):
            self.add_error("new_password1", _("This is your current password. Choose another one."))
        return given

    def save(self, commit: bool = True) -> Staff:  # noqa: ARG002, FBT001, FBT002 - Django's signature
        set_password(staff=self.user, password=self.cleaned_data["new_password1"], by=self.user)
        return self.user


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    staff = staff_of(request)
    context = {
        "section": "account",
        "idle_hours": settings.SESSION_IDLE // timedelta(hours=1),
        "has_second_factor": second_factor.has_second_factor(staff),
        "sessions": [
            {"record": each, "handle": sessions.handle_of(each.pk), "here": each.pk == request.session.session_key}
            for each in sessions.sessions_of(staff)
        ],
    }
    return render(request, "dashboard/account/overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    form = OwnPasswordForm(request, *([request.POST] if request.method == "POST" else []))
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, _("The password is changed. You are signed out in every other browser."))
        return redirect("account")
    context = {"section": "account", "form": form}
    return render(request, "dashboard/account/password.html", context)


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one session, or all but this one."""
    staff, here = staff_of(request), request.session.session_key
    handle = request.POST.get("session", "")
    if handle and here and handle != sessions.handle_of(here):
        number = int(sessions.end_one(staff=staff, handle=handle, by=staff))
    else:
        number = sessions.end_all(staff=staff, by=staff, but=here) if request.POST.get("others") else 0
    text = ngettext("%(number)s session was ended.", "%(number)s sessions were ended.", number)
    messages.success(request, text % {"number": number})
    return redirect("account")
