"""Staff, to be read. The dashboard invites people, gives roles and ends sessions."""

from django.contrib import admin

from recommendations.admin.rights import PolicyAdmin
from recommendations.models import Staff
from recommendations.services.access.policy import Action


@admin.register(Staff)
class StaffAdmin(PolicyAdmin[Staff]):
    sees = Action.MANAGE_STAFF
    list_display = ("email", "name", "role", "language", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = readonly_fields = (
        "email", "name", "role", "is_active", "language", "theme", "last_login", "joined_at",
    )  # fmt: skip
