"""Pages of the item admin beyond Django's own: history with a way back, files in (looked at first) and out."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.admin.rights import PolicyAdmin, allows, staff_of
from recommendations.models import AuditEntry, Item
from recommendations.services.access.audit import changed_fields
from recommendations.services.access.policy import Action
from recommendations.services.catalogue import files, history
from recommendations.services.catalogue.refused_rows import BYTE_ORDER_MARK

LIST = "admin:recommendations_item_changelist"


class ItemPages(PolicyAdmin[Item]):
    """Base of the item admin, with its pages of history and files."""

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        own = [
            path(
                "<path:object_id>/revert/<int:entry>/",
                site.admin_view(self.revert_view),
                name="recommendations_item_revert",
            ),
        ]
        return [*own, *super().get_urls()]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        item = self.get_object(request, object_id)
        if item is None:
            raise Http404
        entries = AuditEntry.objects.filter(object_type="item", object_id=str(item.pk))
        entries = entries.select_related("staff", "api_key")
        page = self.get_paginator(request, entries.order_by("-at", "-pk"), self.list_per_page).get_page(
            request.GET.get("p")
        )
        lines = [(entry, changed_fields(entry), history.may_revert(entry)) for entry in page]
        context = self._context(
            request, title=_("History of %(item)s") % {"item": item}, item=item, lines=lines, page=page
        )
        return TemplateResponse(request, "admin/recommendations/item/history.html", context)

    def revert_view(self, request: HttpRequest, object_id: str, entry: int) -> HttpResponse:
        self._may_change(request)
        audit_entry = AuditEntry.objects.filter(pk=entry, object_type="item", object_id=object_id).first()
        if request.method != "POST" or audit_entry is None or not history.may_revert(audit_entry):
            raise Http404
        try:
            history.revert(entry=audit_entry, by=staff_of(request), now=timezone.now())
        except history.ChangedSinceError as error:
            text = _("Nothing was changed: %(fields)s changed again later. Revert the later change first.")
            self.message_user(request, text % {"fields": ", ".join(error.fields)}, messages.ERROR)
        else:
            self.message_user(request, _("The change was reverted."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recommendations_item_history", args=[object_id]))

    @admin.action(description=_("Export as CSV (all that is chosen)"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Item]) -> StreamingHttpResponse:
        lines = files.export(Item.objects.filter(pk__in=queryset.values("pk")).order_by("pk"))
        answer = StreamingHttpResponse(_with_mark(lines), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="items.csv"'
        return answer

    def _may_change(self, request: HttpRequest) -> None:
        if not allows(request, Action.EDIT_CATALOGUE):
            raise PermissionDenied

    def _context(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        may = allows(request, Action.EDIT_CATALOGUE)
        return {**self.admin_site.each_context(request), "opts": self.opts, "may_change": may, **more}


def _with_mark(lines: Any) -> Any:
    yield BYTE_ORDER_MARK
    yield from lines
