"""A new import: a file of items is handed in, a worker looks through it, and takes it when somebody says yes."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.addresses import or_404
from analytics.queries.catalogue import imports as query
from analytics.templatetags.stored_words import in_own_words
from recommendations.ingest.import_files import FileTooLargeError
from recommendations.models import CatalogueFile, Import
from recommendations.services.access.policy import Action
from recommendations.services.catalogue import files, uploads
from recommendations.services.catalogue.refused_rows import BYTE_ORDER_MARK, columns, template
from recommendations.terms import RunStatus

GONE = gettext_lazy("This file has been imported already, or was previewed more than a day ago. Choose it again.")


class ImportForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("CSV or Parquet file"), max_length=300)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.EDIT_CATALOGUE)
def new_import(request: HttpRequest) -> HttpResponse:
    """Put a file aside for a worker to look through; nothing of it is taken yet."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            job = uploads.hand_in(file, name=file.name, size=file.size, by=staff_of(request))
        except FileTooLargeError as error:
            form.add_error("file", uploads.too_large(error))
        else:
            return redirect("import_file", key=job.pk)
    return _ask_for_file(request, form)


@require_safe
@requires(Action.EDIT_CATALOGUE)
def import_file(request: HttpRequest, key: UUID) -> HttpResponse:
    """How far a worker is with a file, then what it found."""
    job = file_of(key, kind=Import.Kind.ITEMS)
    if job.imported or job.status == RunStatus.FAILED:
        return ended(request, job, ask=_ask_for_file)
    if (closed := old_preview(request, job, page="import_file", again="new_import")) is not None:
        return closed
    preview = uploads.preview_of(job)
    context = {
        "section": "catalogue",
        "job": job,
        "share": uploads.progress_of(job),
        "preview": preview,
        "lines": query.refused_lines(preview.refused) if preview else [],
        "changed": query.changed_items(preview) if preview else [],
        "most": files.SHOWN,
    }
    return render(request, "dashboard/catalogue/import_file.html", context)


@post_requires(Action.EDIT_CATALOGUE)
def take_import(request: HttpRequest, key: UUID) -> HttpResponse:
    try:
        job = uploads.take(file_of(key, kind=Import.Kind.ITEMS), by=staff_of(request))
    except files.FileGoneError:
        messages.error(request, GONE)
        return redirect("new_import")
    return redirect("import_file", key=job.pk)


@require_safe
@requires(Action.EDIT_CATALOGUE)
def file_refused(_request: HttpRequest, key: UUID) -> HttpResponse:
    """The rows that a preview refused, each with all that is wrong with it."""
    return refused_rows(file_of(key, kind=Import.Kind.ITEMS))


@require_safe
@requires(Action.EDIT_CATALOGUE)
def import_template(_request: HttpRequest) -> HttpResponse:
    """A file to begin with: every column, and an item as an example."""
    return download(BYTE_ORDER_MARK + template(), "items-template.csv")


def file_of(key: UUID, *, kind: Import.Kind) -> CatalogueFile:
    """The job of a file of this kind; those who may take in items may not take in contacts. Raises Http404."""
    job = get_object_or_404(CatalogueFile, pk=key)
    if job.kind != kind:
        raise Http404
    return job


def ended(
    request: HttpRequest, job: CatalogueFile, *, ask: Callable[[HttpRequest, ImportForm], HttpResponse]
) -> HttpResponse:
    """Lead on from a file that was taken, or ask again for one that was refused, saying why."""
    if job.imported:
        return _go_to(request, reverse("imported_file", args=[job.imported.pk]))
    if request.headers.get("HX-Request"):  # the form is another page than the part that waits
        return _go_to(request, request.path)
    form = ImportForm(request.GET)
    form.errors["file"] = form.error_class([in_own_words(job.message)])
    return ask(request, form)


def old_preview(request: HttpRequest, job: CatalogueFile, *, page: str, again: str) -> HttpResponse | None:
    """Lead on from a preview whose file was taken, or is gone; None for one that stands."""
    taken = uploads.taken_of(job) if job.phase == CatalogueFile.Phase.LOOK else None
    if taken is not None:
        return _go_to(request, reverse(page, args=[taken.pk]))
    if not uploads.is_closed(job):
        return None
    messages.error(request, GONE)
    return _go_to(request, reverse(again))


def refused_rows(job: CatalogueFile) -> HttpResponse:
    with or_404(files.open_refused(job.stored_as)) as refused:
        return download(refused.read(), "refused-rows.csv")


def _ask_for_file(request: HttpRequest, form: ImportForm) -> HttpResponse:
    context: dict[str, Any] = {"section": "catalogue", "form": form, "columns": columns()}
    return render(request, "dashboard/catalogue/new_import.html", context)


def _go_to(request: HttpRequest, address: str) -> HttpResponse:
    """Lead the whole page on, also where a part of it asked."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def download(content: str | bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
