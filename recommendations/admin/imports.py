"""Imports of files and the rows they refused. The dashboard hands files in and undoes imports."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from recommendations.admin.rights import PolicyAdmin
from recommendations.models import Import, RejectedRow
from recommendations.services.catalogue.refused_rows import REASONS


@admin.register(Import)
class ImportAdmin(PolicyAdmin[Import]):
    list_display = ("file", "kind", "status", "started_at", "rows", "kept", "duplicates", "held", "refused")
    list_filter = ("kind", "status")
    fields = readonly_fields = (
        "file", "kind", "status", "started_at", "finished_at", "rows", "kept", "duplicates", "held", "refused",
        "by_reason", "message",
    )  # fmt: skip

    @admin.display(description=_("refused"), ordering="rejected")
    def refused(self, imported: Import) -> SafeString | int:
        if not imported.rejected:
            return 0
        address = f"{reverse('admin:recommendations_rejectedrow_changelist')}?source__id__exact={imported.pk}"
        return format_html('<a href="{}">{}</a>', address, f"{imported.rejected:,}")

    @admin.display(description=_("refused by reason"))
    def by_reason(self, imported: Import) -> SafeString:
        counts = sorted(imported.reasons.items(), key=lambda reason: -reason[1])
        rows = [(f"{count:,}", REASONS.get(code, code)) for code, count in counts]
        return format_html_join(mark_safe("<br>"), "{} × {}", rows)


@admin.register(RejectedRow)
class RejectedRowAdmin(PolicyAdmin[RejectedRow]):
    list_display = ("source", "line", "field", "value_text", "reason", "row_text")
    list_display_links = None
    list_select_related = ("source",)
    search_fields = ("reason", "content")
    ordering = ("-source", "line")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup == "source__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("value"))
    def value_text(self, row: RejectedRow) -> str:
        return row.value[:200]

    @admin.display(description=_("row"))
    def row_text(self, row: RejectedRow) -> str:
        return row.content[:200]
