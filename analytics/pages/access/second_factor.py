"""One's second factor: set up by a scan and a first code, then with new recovery codes or turned off by a code."""

from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from analytics.pages.access.account import WRONG_PASSWORD
from analytics.pages.access.login import WRONG_CODE, CodeForm
from analytics.pages.access.permission import staff_of
from recommendations.models import Staff
from recommendations.services.access import second_factor as service
from recommendations.services.access import sign_in
from recommendations.services.access.second_factor import TooSoonError


class ProofForm(CodeForm):
    """Form of a change of the second factor itself: it asks for both factors again."""

    password = forms.CharField(strip=False)

    field_order = ("password", "code")

    def proves(self, request: HttpRequest, staff: Staff) -> bool:
        """Whether both are right; wrong ones count as at the login."""
        if not self.is_valid():
            return False
        if authenticate(request, username=staff.email, password=self.cleaned_data["password"]) is None:
            self.add_error("password", WRONG_PASSWORD)
            return False
        try:
            if sign_in.code_is_right(request, staff=staff, code=self.cleaned_data["code"]):
                return True
            self.refuse()
        except TooSoonError as error:
            self.refuse(error)
        return False


@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Set the second factor up; whoever has one sees what can be done with it."""
    staff = staff_of(request)
    if service.has_second_factor(staff):
        return _existing(request, staff, ProofForm())
    app, form = service.new_app(staff), CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = service.confirm_app(staff=staff, code=form.cleaned_data["code"])
        except TooSoonError as error:
            form.refuse(error)
        else:
            if codes is not None:
                request.session.pop(sign_in.DUE, None)
                return _codes(request, codes)
            form.add_error("code", WRONG_CODE)
    context = {"form": form, "picture": service.picture_of(app), "key": service.key_of(app)}
    return _page(request, "set_up", {**context, "due": sign_in.DUE in request.session})


@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    staff, form = staff_of(request), ProofForm(request.POST)
    if not service.has_second_factor(staff):
        return redirect("second_factor")
    if not form.proves(request, staff):
        return _existing(request, staff, form)
    return _codes(request, service.renew_codes(staff), renewed=True)


@require_POST
def remove_second_factor(request: HttpRequest) -> HttpResponse:
    staff, form = staff_of(request), ProofForm(request.POST)
    if not service.has_second_factor(staff):
        return redirect("second_factor")
    if not form.proves(request, staff):
        return _existing(request, staff, form)
    service.remove(staff=staff, by=staff)
    if settings.SECOND_FACTOR == "required":
        request.session[sign_in.DUE] = True
    messages.success(request, _("The second factor is turned off."))
    return redirect("account")


def _existing(request: HttpRequest, staff: Staff, form: ProofForm) -> HttpResponse:
    return _page(request, "second_factor", {"form": form, "left": service.codes_left(staff), "codes": service.CODES})


def _codes(request: HttpRequest, codes: list[str], *, renewed: bool = False) -> HttpResponse:
    text = "\n".join(codes)
    context = {"text": text, "file": f"data:text/plain;charset=utf-8,{quote(text)}", "renewed": renewed}
    return _page(request, "recovery_codes", context)


def _page(request: HttpRequest, name: str, context: dict[str, object]) -> HttpResponse:
    return render(request, f"dashboard/account/{name}.html", {"section": "account", **context})
