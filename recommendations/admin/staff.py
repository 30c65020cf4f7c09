"""Staff, the people who use the dashboard: address, role, language; passwords are set here and never shown."""

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recommendations.admin.generic import AdminPasswordChangeForm, BaseUserCreationForm, UserAdmin
from recommendations.admin.rights import HERE_AND_THERE, PolicyAdmin, staff_of
from recommendations.models import Staff
from recommendations.services.access import invitations, second_factor, sessions
from recommendations.services.access import staff as service
from recommendations.services.access.policy import Action
from recommendations.terms import Role


class StaffCreationForm(BaseUserCreationForm[Staff]):
    """Form of new staff; those without a password are invited by e-mail to choose one themselves."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name in ("password1", "password2"):
            self.fields[name].required = False
        self.fields["password2"].help_text = _("Leave both empty to invite them by e-mail to choose a password.")

    class Meta:
        model = Staff
        fields = ("email", "name", "role")
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("password1")) != bool(given.get("password2")):
            self.add_error("password2", _("Type the password twice, or leave both fields empty."))
        return given

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if Staff.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError(_("There is somebody with this address."))
        return email


class PasswordForm(AdminPasswordChangeForm[Staff]):
    """Form of a new password; the service sets it, and notes by whom."""

    def __init__(self, *arguments: Any, by: Staff, **options: Any) -> None:
        self._by = by
        super().__init__(*arguments, **options)

    def save(self, commit: bool = True) -> Staff:  # noqa: FBT001, FBT002 - Django's signature
        usable = self.cleaned_data.get("set_usable_password", True)
        service.set_password(staff=self.user, password=self.cleaned_data["password1"] if usable else None, by=self._by)
        return self.user


@admin.register(Staff)
class StaffAdmin(PolicyAdmin[Staff], UserAdmin[Staff]):
    sees = adds = changes = Action.MANAGE_STAFF
    add_form = StaffCreationForm
    list_display = ("email", "name", "role", "language", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    actions = ("invite_again", "end_sessions", "remove_second_factor")
    readonly_fields = ("invitation", "last_login", "joined_at", "second_factor", "sessions")
    fieldsets = (
        (None, {"fields": ("email", "password", "invitation", "name", "role", "is_active")}),
        (_("On the dashboard"), {"fields": ("language", "theme")}),
        (_("Known of them"), {"fields": ("last_login", "joined_at", "second_factor", "sessions")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "role", "password1", "password2")}),)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "language":
            return forms.ChoiceField(label=capfirst(db_field.verbose_name), choices=settings.LANGUAGES)
        return super().formfield_for_dbfield(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Staff, form: Any, change: Any) -> None:
        given = form.cleaned_data
        if not change:
            vars(obj).update(vars(self._create(request, given)))
            return
        try:
            service.change_staff(
                staff=obj, changes={name: given[name] for name in form.changed_data}, by=staff_of(request)
            )
        except service.LastAdminError as error:
            text = _("%(staff)s stays an active admin: nobody else could manage staff.")
            self.message_user(request, text % {"staff": error.staff}, messages.ERROR)

    def _create(self, request: HttpRequest, given: Mapping[str, Any]) -> Staff:
        who: Any = {"email": given["email"], "role": Role(given["role"]), "name": given["name"]}
        if given["password1"]:
            return service.create_staff(**who, password=given["password1"], by=staff_of(request))
        staff = invitations.invite(**who, by=staff_of(request))
        self._say_how(request, staff)
        return staff

    def _say_how(self, request: HttpRequest, staff: Staff) -> None:
        """Say how the invitation reaches its person."""
        handed_over = bool(invitations.link_to_hand_over(staff))
        text = _("No e-mail is set up: the link for %(email)s is on their page. Copy it, and send it yourself.")
        text = text if handed_over else _("%(email)s gets an e-mail with a link.")
        self.message_user(request, text % {"email": staff.email}, messages.WARNING if handed_over else messages.SUCCESS)

    def get_fieldsets(self, request: HttpRequest, obj: Staff | None = None) -> Any:
        """Leave the invitation out where there is no link to hand over."""
        given = super().get_fieldsets(request, obj)
        if obj is None or invitations.link_to_hand_over(obj):
            return given
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name != "invitation"]})
            for title, options in given
        ]

    @admin.display(description=_("invitation"))
    def invitation(self, staff: Staff) -> SafeString:
        """The link with a button that copies it."""
        button = '<button type="button" class="button" data-copies="invitation" data-copied="{}">{}</button>'
        return format_html(
            '<input id="invitation" class="secret" type="text" readonly size="70" aria-label="{}" value="{}"> '
            f'{button} <span role="status"></span><div class="help">{{}}</div>',
            _("Link of the invitation"), invitations.link_to_hand_over(staff), _("Copied"), _("Copy"),
            _("No e-mail is set up: hand this link over yourself. It works for three days, until a password is set."),
        )  # fmt: skip

    @admin.action(description=_("Send the invitation again"), permissions=["change"])
    def invite_again(self, request: HttpRequest, queryset: QuerySet[Staff]) -> None:
        for staff in queryset:
            try:
                invitations.send_again(staff=staff, by=staff_of(request))
            except invitations.AlreadyInError:
                text = _("%(staff)s has a password already, or has left: no e-mail was sent.")
                self.message_user(request, text % {"staff": staff}, messages.WARNING)
            else:
                self._say_how(request, staff)

    @admin.display(description=_("second factor"), boolean=True)
    def second_factor(self, staff: Staff) -> bool:
        return second_factor.has_second_factor(staff)

    @admin.display(description=_("sessions"))
    def sessions(self, staff: Staff) -> str:
        lines = [
            (each.browser or _("Unknown browser"), each.address or "–", _moment(each.last_seen_at))
            for each in sessions.sessions_of(staff)
        ]
        return format_html_join("", "<div>{}, {}, {}</div>", lines) or gettext("signed in nowhere")

    @admin.action(description=_("End all sessions"), permissions=["change"], location=HERE_AND_THERE)
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[Staff]) -> None:
        number = sum(sessions.end_all(staff=staff, by=staff_of(request)) for staff in queryset)
        text = ngettext("%(number)s session was ended.", "%(number)s sessions were ended.", number)
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    @admin.action(
        description=_("Remove the second factor (lost phone)"), permissions=["change"], location=HERE_AND_THERE
    )
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[Staff]) -> None:
        for staff in queryset:
            if second_factor.remove(staff=staff, by=staff_of(request)):
                text = _("%(staff)s has no second factor any more, and was signed out everywhere.")
                self.message_user(request, text % {"staff": staff}, messages.SUCCESS)
            else:
                self.message_user(request, _("%(staff)s has no second factor.") % {"staff": staff}, messages.WARNING)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Do nothing: roles stand in the policy table; groups and single permissions are not used."""

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        mine = copy(self)
        mine.change_password_form = partial(PasswordForm, by=staff_of(request))
        return UserAdmin.user_change_password(mine, request, id, form_url)


def _moment(at: datetime) -> str:
    return date_format(localtime(at), "DATETIME_FORMAT")
