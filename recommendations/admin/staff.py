"""People who use the dashboard: address, role, language; passwords are set here and never shown."""

from copy import copy
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from recommendations.admin.generic import AdminPasswordChangeForm, BaseUserCreationForm, UserAdmin
from recommendations.admin.rights import PolicyAdmin, staff_of
from recommendations.models import Staff
from recommendations.services import staff as service
from recommendations.services.policy import Action
from recommendations.terms import Role


class StaffCreationForm(BaseUserCreationForm[Staff]):
    class Meta:
        model = Staff
        fields = ("email", "name", "role")
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if Staff.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError(_("There is somebody with this address."))
        return email


class PasswordForm(AdminPasswordChangeForm[Staff]):
    """The service sets the password, and notes by whom."""

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
    readonly_fields = ("last_login", "joined_at")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "role", "is_active")}),
        (_("On the dashboard"), {"fields": ("language", "theme", "time_zone")}),
        (_("Known of them"), {"fields": ("last_login", "joined_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "role", "password1", "password2")}),)

    def save_model(self, request: HttpRequest, obj: Staff, form: Any, change: Any) -> None:
        given = form.cleaned_data
        if not change:
            made = service.create_staff(
                email=given["email"], password=given["password1"], role=Role(given["role"]), name=given["name"],
                by=staff_of(request),
            )  # fmt: skip
            vars(obj).update(vars(made))
            return
        try:
            service.change_staff(
                staff=obj, changes={name: given[name] for name in form.changed_data}, by=staff_of(request)
            )
        except service.LastAdminError as error:
            text = _("%(staff)s stays an active admin: nobody else could manage staff.")
            self.message_user(request, text % {"staff": error.staff}, messages.ERROR)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Roles stand in the policy table; groups and single permissions are not used."""

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        mine = copy(self)
        mine.change_password_form = partial(PasswordForm, by=staff_of(request))
        return UserAdmin.user_change_password(mine, request, id, form_url)
