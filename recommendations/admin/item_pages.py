"""Pages of the item admin beyond Django's own: history with a way back, files in (looked at first) and out."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.admin.rights import PolicyAdmin, allows, staff_of
from recommendations.ingest.import_files import FileTooLargeError
from recommendations.models import AuditEntry, CatalogueFile, Item
from recommendations.services.access.audit import changed_fields
from recommendations.services.access.policy import Action
from recommendations.services.catalogue import files, history, uploads
from recommendations.services.catalogue.refused_rows import BYTE_ORDER_MARK, COLUMNS, template
from recommendations.terms import RunStatus

LIST = "admin:recommendations_item_changelist"


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("CSV or Parquet file"), max_length=300,
        help_text=_("Only columns in the file are changed. Nothing is saved yet."),
    )  # fmt: skip


class ItemPages(PolicyAdmin[Item]):
    """Base of the item admin, with its pages of history and files."""

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        own = [
            path("import/", site.admin_view(self.import_view), name="recommendations_item_import"),
            path("import/template.csv", site.admin_view(self.template_view), name="recommendations_item_template"),
            path(
                "import/<uuid:key>/refused.csv", site.admin_view(self.refused_view), name="recommendations_item_refused"
            ),
            path("import/<uuid:key>/", site.admin_view(self.file_view), name="recommendations_item_file"),
            path("import/<uuid:key>/take/", site.admin_view(self.take_view), name="recommendations_item_take"),
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
        """Put a file aside for a worker to look through; ``file_view`` shows how far it is, ``take_view`` takes it."""
        self._may_change(request)
        form = FileForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                job = uploads.hand_in(file, name=file.name, size=file.size, by=staff_of(request))
            except FileTooLargeError as error:
                form.add_error("file", uploads.too_large(error))
            else:
                return HttpResponseRedirect(reverse("admin:recommendations_item_file", args=[job.pk]))
        context = self._context(request, title=_("Import items"), form=form, columns=COLUMNS)
        return TemplateResponse(request, "admin/recommendations/item/import.html", context)

    def file_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """How far a worker is with a file, then what it found."""
        self._may_change(request)
        job = get_object_or_404(CatalogueFile, pk=key)
        if job.imported:
            text = _("%(kept)s items were imported, %(rejected)s rows refused. “Undo” below takes it back.")
            values = {"kept": f"{job.imported.kept:,}", "rejected": f"{job.imported.rejected:,}"}
            self.message_user(request, text % values, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:recommendations_import_change", args=[job.imported.pk]))
        form = FileForm(request.GET if job.status == RunStatus.FAILED else None)
        if form.is_bound:
            form.errors["file"] = form.error_class([job.message])
        context = self._context(
            request, title=_("Import items"), form=form, preview=uploads.preview_of(job), key=job.pk, file=job.file,
            job=job, share=uploads.progress_of(job),
        )  # fmt: skip
        return TemplateResponse(request, "admin/recommendations/item/import.html", context)

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """A file to begin with: every column, and an item as an example."""
        self._may_change(request)
        return _download(BYTE_ORDER_MARK + template(), "items-template.csv")

    def refused_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """The rows that a preview refused, each with all that is wrong with it."""
        self._may_change(request)
        refused = files.open_refused(get_object_or_404(CatalogueFile, pk=key).stored_as)
        if refused is None:
            raise Http404
        with refused:
            return _download(refused.read(), "refused-rows.csv")

    def take_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        self._may_change(request)
        if request.method != "POST":
            raise Http404
        try:
            job = uploads.take(get_object_or_404(CatalogueFile, pk=key), by=staff_of(request))
        except files.FileGoneError:
            text = _("This file was taken already, or looked at more than a day ago. Choose it again.")
            self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:recommendations_item_import"))
        return HttpResponseRedirect(reverse("admin:recommendations_item_file", args=[job.pk]))

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


def _download(content: str | bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _with_mark(lines: Any) -> Any:
    yield BYTE_ORDER_MARK
    yield from lines
