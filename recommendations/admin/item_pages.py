"""Pages of the item admin beyond Django's own: history with a way back, files in (looked at first) and out."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.admin.rights import PolicyAdmin, allows, staff_of
from recommendations.ingest.import_files import UnreadableFileError
from recommendations.models import AuditEntry, Item
from recommendations.services.access.audit import changed_fields
from recommendations.services.access.policy import Action
from recommendations.services.catalogue import files, history

BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets read Chinese as something else
LIST = "admin:recommendations_item_changelist"


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("CSV or Parquet file"), max_length=300,
        help_text=_("Columns as in docs/imports.md; only those that are there are changed. Nothing is taken yet."),
    )  # fmt: skip


class ItemPages(PolicyAdmin[Item]):
    """Base of the item admin, with its pages of history and files."""

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        own = [
            path("import/", site.admin_view(self.import_view), name="recommendations_item_import"),
            path("import/<str:key>/", site.admin_view(self.take_view), name="recommendations_item_take"),
            path(
                "<path:object_id>/revert/<int:entry>/",
                site.admin_view(self.revert_view),
                name="recommendations_item_revert",
            ),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {"may_change": allows(request, Action.EDIT_CATALOGUE)}
        return super().changelist_view(request, {**may, **(extra_context or {})})

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

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Put a file aside and look at it; ``take_view`` takes it."""
        self._may_change(request)
        form = FileForm(request.POST or None, request.FILES or None)
        preview = key = None
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                key = files.keep(file, name=file.name, size=file.size)
                preview = files.look(key=key, name=file.name, now=timezone.now())
            except UnreadableFileError as error:
                form.add_error("file", str(error))
            except files.TooLargeError as error:
                form.add_error("file", _too_large(error))
        name = form.cleaned_data["file"].name if preview else ""
        context = self._context(request, title=_("Import items"), form=form, preview=preview, key=key, file=name)
        return TemplateResponse(request, "admin/recommendations/item/import.html", context)

    def take_view(self, request: HttpRequest, key: str) -> HttpResponse:
        self._may_change(request)
        if request.method != "POST":
            raise Http404
        try:
            imported = files.import_kept(
                key=key, name=request.POST.get("file", "") or key, by=staff_of(request), now=timezone.now()
            )
        except files.FileGoneError:
            text = _("This file was taken already, or looked at more than a day ago. Choose it again.")
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:recommendations_item_import"))
        text = _("%(kept)s items were imported, %(rejected)s rows refused. “Undo” below takes it back.")
        values = {"kept": f"{imported.kept:,}", "rejected": f"{imported.rejected:,}"}
        self.message_user(request, text % values, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recommendations_import_change", args=[imported.pk]))

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


def _too_large(error: files.TooLargeError) -> str:
    if error.unit == "MB":
        text = _("The file is larger than %(most)s MB. Import it with manage.py import_items, or split it.")
    elif error.unit == "MB unpacked":
        text = _(
            "The file holds more than %(most)s MB of text once it is unpacked. Shorten its texts, split it, or import "
            "it with manage.py import_items."
        )
    else:
        text = _("The file has more than %(most)s rows. Import it with manage.py import_items, or split it.")
    return text % {"most": f"{error.most:,}"}


def _with_mark(lines: Any) -> Any:
    yield BYTE_ORDER_MARK
    yield from lines
