"""Forgotten passwords and invitations: a link by e-mail leads to the page that sets one."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView, PasswordResetDoneView, PasswordResetView
from django.core.cache import cache
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from recommendations.models import Staff
from recommendations.services.access.passwords import ask_for_link
from recommendations.services.access.staff import set_password

PAUSE = 60
"""Seconds until another e-mail goes to the same address, whoever asks for it."""


class AddressForm(PasswordResetForm):
    """Form for a reset link; the page says the same for every address, so nobody learns who has an account."""

    def save(self, *_arguments: Any, **_options: Any) -> None:
        address = str(self.cleaned_data["email"]).strip().lower()
        if cache.add(
            f"password-reset:{salted_hmac('password-reset', address, algorithm='sha256').hexdigest()}", 1, PAUSE
        ):
            ask_for_link(address)


class NewPasswordForm(SetPasswordForm[Staff]):
    """Form for a new password, which the service sets with a line in the audit trail."""

    def save(self, commit: bool = True) -> Staff:  # noqa: ARG002, FBT001, FBT002 - Django's signature
        set_password(staff=self.user, password=self.cleaned_data["new_password1"], by=self.user)
        return self.user


class Forgotten(PasswordResetView):
    form_class = AddressForm
    template_name = "registration/password_forgotten.html"


class Sent(PasswordResetDoneView):
    template_name = "registration/password_sent.html"


class Choose(PasswordResetConfirmView):
    form_class = NewPasswordForm
    template_name = "registration/password_choose.html"
    success_url = reverse_lazy("login")

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """Add the name of the person whom the link is for; Django keeps it to itself."""
        return super().get_context_data(**more, user_name=str(self.user or ""))

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        messages.success(self.request, _("Your password is set. Log in with it."))
        return answer
