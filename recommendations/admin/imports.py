"""Imports of files and the rows they refused; what the admin imported can be undone."""

from itertools import chain
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from recommendations.admin.rights import PolicyAdmin, allows, staff_of
from recommendations.models import Import, RejectedRow
from recommendations.services.access.policy import Action
from recommendations.services.catalogue.history import NothingToUndoError, batch_of, undo_import
from recommendations.services.catalogue.refused_rows import BYTE_ORDER_MARK, REASONS, refused_file

SHOWN = 10  # titles named in a message


@admin.register(Import)
class ImportAdmin(PolicyAdmin[Import]):
    list_display = ("file", "kind", "status", "started_at", "rows", "kept", "duplicates", "held", "refused")
    list_filter = ("kind", "status")
    fields = readonly_fields = (
        "file", "kind", "status", "started_at", "finished_at", "rows", "kept", "duplicates", "held", "refused",
        "by_reason", "refused_as_file", "message",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        undo = self.admin_site.admin_view(self.undo_view)
        refused = self.admin_site.admin_view(self.refused_view)
        return [
            path("<int:pk>/undo/", undo, name="recommendations_import_undo"),
            path("<int:pk>/refused.csv", refused, name="recommendations_import_refused"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        imported = self.get_object(request, object_id)
        may = imported is not None and allows(request, Action.EDIT_CATALOGUE)
        undoable = {"undoable": may and imported is not None and batch_of(imported) is not None}
        return super().change_view(request, object_id, form_url, {**undoable, **(extra_context or {})})

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not allows(request, Action.EDIT_CATALOGUE):
            raise PermissionDenied
        imported = Import.objects.filter(pk=pk).first()
        if request.method != "POST" or imported is None:
            raise Http404
        try:
            done = undo_import(imported=imported, by=staff_of(request), now=timezone.now())
        except NothingToUndoError:
            self.message_user(request, _("There is nothing left to undo of this import."), messages.ERROR)
        else:
            text = _("Undone: %(reverted)s items have their old values again, %(retired)s new ones were retired.")
            values = {"reverted": f"{done.reverted:,}", "retired": f"{done.retired:,}"}
            self.message_user(request, text % values, messages.SUCCESS)
            if done.left:
                text = _("%(count)s items were changed again since, and stay as they are: %(titles)s")
                named = {"count": f"{len(done.left):,}", "titles": ", ".join(done.left[:SHOWN])}
                self.message_user(request, text % named, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:recommendations_import_change", args=[pk]))

    @admin.display(description=_("refused"), ordering="rejected")
    def refused(self, imported: Import) -> SafeString | int:
        if not imported.rejected:
            return 0
        address = f"{reverse('admin:recommendations_rejectedrow_changelist')}?source__id__exact={imported.pk}"
        return format_html('<a href="{}">{}</a>', address, f"{imported.rejected:,}")

    @admin.display(description=_("refused rows as a file"))
    def refused_as_file(self, imported: Import) -> SafeString | str:
        if not imported.rejected:
            return "–"
        address = reverse("admin:recommendations_import_refused", args=[imported.pk])
        return format_html('<a href="{}">{}</a>', address, _("CSV, with a column that says why"))

    @admin.display(description=_("refused by reason"))
    def by_reason(self, imported: Import) -> SafeString:
        counts = sorted(imported.reasons.items(), key=lambda reason: -reason[1])
        rows = [(f"{count:,}", REASONS.get(code, code)) for code, count in counts]
        return format_html_join(mark_safe("<br>"), "{} × {}", rows)

    def refused_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """The refused rows as a file, each with all that is wrong with it."""
        imported = self.get_object(request, str(pk))
        if imported is None or not self.has_view_permission(request, imported):
            raise Http404
        lines = refused_file(imported.rejected_rows.order_by("line", "pk").iterator(), kind=imported.kind)
        answer = StreamingHttpResponse(chain([BYTE_ORDER_MARK], lines), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="import-{pk}-refused.csv"'
        return answer


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
