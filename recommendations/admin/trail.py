"""Audit trail, read-only: who changed what."""

import json

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from recommendations.admin.rights import PolicyAdmin, staff_of
from recommendations.models import AuditEntry
from recommendations.services.access.audit import entries_for

SHOWN = 200  # characters of a value in the list


@admin.register(AuditEntry)
class AuditAdmin(PolicyAdmin[AuditEntry]):
    list_display = ("at", "staff", "verb", "object_type", "label", "was", "became")
    list_select_related = ("staff",)
    list_filter = ("object_type", "verb")
    search_fields = ("label", "note", "object_id__exact")
    fields = readonly_fields = ("at", "staff", "verb", "object_type", "object_id", "label", "before", "after", "note")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        return entries_for(staff_of(request)).select_related("staff")

    @admin.display(description=_("before"))
    def was(self, entry: AuditEntry) -> str:
        return _short(entry.before)

    @admin.display(description=_("after"))
    def became(self, entry: AuditEntry) -> str:
        return _short(entry.after)


def _short(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)[:SHOWN]
