"""Staff: admins invite people, give them roles, and help who cannot sign in. Nobody can lock themselves out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.addresses import page_address
from analytics.queries.setup import members
from recommendations.models import Staff
from recommendations.services.access import invitations, second_factor, sessions
from recommendations.services.access import staff as service
from recommendations.services.access.policy import Action
from recommendations.terms import Role

if TYPE_CHECKING:
    OfStaff = forms.ModelForm[Staff]
else:
    OfStaff = forms.ModelForm


class InvitationForm(OfStaff):
    class Meta:
        model = Staff
        fields: tuple[str, ...] = ("email", "name", "role")

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if Staff.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Someone already has this address."))
        return email


class MemberForm(InvitationForm):
    """Form of somebody who is there; one's own role is not to be changed."""

    language = forms.ChoiceField(label=gettext_lazy("language"), choices=settings.LANGUAGES)

    class Meta(InvitationForm.Meta):
        fields = ("email", "name", "role", "language")

    def __init__(self, *given: Any, own: bool, **options: Any) -> None:
        super().__init__(*given, **options)
        self.fields["role"].disabled = own


@require_safe
@requires(Action.MANAGE_STAFF)
def staff_list(request: HttpRequest) -> HttpResponse:
    return _list(request, InvitationForm())


@post_requires(Action.MANAGE_STAFF)
def invite(request: HttpRequest) -> HttpResponse:
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=422)
    given = form.cleaned_data
    who: dict[str, Any] = {"email": given["email"], "role": Role(given["role"]), "name": given["name"]}
    member = invitations.invite(**who, by=staff_of(request))
    _say_how(request, member)
    return redirect("staff_member", pk=member.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.MANAGE_STAFF)
def staff_member(request: HttpRequest, pk: int) -> HttpResponse:
    member, by = get_object_or_404(Staff, pk=pk), staff_of(request)
    form = MemberForm(request.POST or None, instance=get_object_or_404(Staff, pk=pk), own=member == by)
    if form.is_valid():
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if _change(request, member, changes):
            messages.success(request, _("%(staff)s has been updated.") % {"staff": member.email})
            return redirect("staff_list")
    context = {
        "section": "setup",
        "tab": "staff",
        "member": member,
        "own": member == by,
        "form": form,
        "link": invitations.link_to_hand_over(member),
        "has_second_factor": second_factor.has_second_factor(member),
        "sessions": sessions.sessions_of(member),
    }
    return render(request, "dashboard/setup/member.html", context)


@post_requires(Action.MANAGE_STAFF)
def set_staff_active(request: HttpRequest, pk: int) -> HttpResponse:
    member, active = get_object_or_404(Staff, pk=pk), request.POST.get("active") == "yes"
    if _change(request, member, {"is_active": active}):
        words = _("%(staff)s can sign in again.") if active else _("%(staff)s can no longer sign in.")
        messages.success(request, words % {"staff": member.email})
    return redirect("staff_member", pk=pk)


@post_requires(Action.MANAGE_STAFF)
def invite_again(request: HttpRequest, pk: int) -> HttpResponse:
    return _with_link(request, pk, invitations.send_again)


@post_requires(Action.MANAGE_STAFF)
def reset_staff_password(request: HttpRequest, pk: int) -> HttpResponse:
    return _with_link(request, pk, invitations.reset_password)


@post_requires(Action.MANAGE_STAFF)
def end_staff_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    number = sessions.end_all(staff=get_object_or_404(Staff, pk=pk), by=staff_of(request))
    text = ngettext("%(number)s session was ended.", "%(number)s sessions were ended.", number)
    messages.success(request, text % {"number": number})
    return redirect("staff_member", pk=pk)


@post_requires(Action.MANAGE_STAFF)
def remove_staff_factor(request: HttpRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(Staff, pk=pk)
    if second_factor.remove(staff=member, by=staff_of(request)):
        words = _("%(staff)s has no second factor any more, and was signed out everywhere.")
        messages.success(request, words % {"staff": member.email})
    else:
        messages.warning(request, _("%(staff)s has no second factor.") % {"staff": member.email})
    return redirect("staff_member", pk=pk)


def _list(request: HttpRequest, form: InvitationForm, *, status: int = 200) -> HttpResponse:
    here = page_address(request, reverse("staff_list"))
    context = {"section": "setup", "tab": "staff", "here": here, "members": members(), "form": form}
    return render(request, "dashboard/setup/staff.html", context, status=status)


def _change(request: HttpRequest, member: Staff, changes: dict[str, Any]) -> bool:
    """Change somebody; where that is not allowed a message says so."""
    try:
        service.change_staff(staff=member, changes=changes, by=staff_of(request))
    except service.LastAdminError:
        words = _("%(staff)s stays an active admin: nobody else could manage staff.")
        messages.error(request, words % {"staff": member.email})
    except service.OwnAccountError:
        messages.error(request, _("You cannot change your own role or access: ask another admin."))
    else:
        return True
    return False


def _with_link(request: HttpRequest, pk: int, send: Callable[..., None]) -> HttpResponse:
    """Send somebody a link by which they choose a password."""
    member = get_object_or_404(Staff, pk=pk)
    try:
        send(staff=member, by=staff_of(request))
    except invitations.AlreadyInError:
        words = _("%(staff)s already has a password or has left, so no e-mail was sent.")
        messages.warning(request, words % {"staff": member.email})
    except service.OwnAccountError:
        messages.error(request, _("Change your own password under your account."))
    else:
        member.refresh_from_db()
        _say_how(request, member)
    return redirect("staff_member", pk=pk)


def _say_how(request: HttpRequest, member: Staff) -> None:
    """Say how the link reaches its person."""
    if invitations.link_to_hand_over(member):
        words = _("No e-mail leaves this installation: copy the link below, and send it to %(email)s yourself.")
        messages.warning(request, words % {"email": member.email})
    else:
        messages.success(request, _("%(email)s will get an e-mail with a link.") % {"email": member.email})
