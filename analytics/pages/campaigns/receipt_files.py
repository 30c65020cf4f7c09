"""A file of what another system sent: handed in by an admin, looked through by a worker, taken on a yes."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.catalogue.import_files import GONE, ImportForm, download, ended, file_of, old_preview, refused_rows
from analytics.queries.catalogue import imports as query
from recommendations.ingest.import_files import FileTooLargeError
from recommendations.models import Import
from recommendations.services.access.policy import Action
from recommendations.services.campaigns.receipt_uploads import receipts_in
from recommendations.services.catalogue import files, uploads
from recommendations.services.catalogue import refused_rows as mending
from recommendations.services.contacts.file_import import rejected_rows
from recommendations.terms import RunStatus

KIND = Import.Kind.RECEIPTS


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Action.MANAGE_CONTACTS)
def new_receipt_import(request: HttpRequest) -> HttpResponse:
    """Put a file of another system's campaigns aside for a worker to look through; nothing of it is taken yet."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            job = uploads.hand_in(file, name=file.name, size=file.size, by=staff_of(request), kind=KIND)
        except FileTooLargeError as error:
            form.add_error("file", uploads.too_large(error, kind=KIND))
        else:
            return redirect("receipt_file", key=job.pk)
    return _ask_for_file(request, form)


@require_safe
@requires(Action.MANAGE_CONTACTS)
def receipt_file(request: HttpRequest, key: UUID) -> HttpResponse:
    """How far a worker is with a file, then the campaigns in it and what is refused."""
    job = file_of(key, kind=KIND)
    if job.imported or job.status == RunStatus.FAILED:
        return ended(request, job, ask=_ask_for_file)
    if (closed := old_preview(request, job, page="receipt_file", again="new_receipt_import")) is not None:
        return closed
    seen = receipts_in(job)
    context = {
        "section": "campaigns",
        "job": job,
        "share": uploads.progress_of(job),
        "seen": seen,
        "campaigns": [(each, parse_datetime(each.starts), parse_datetime(each.ends)) for each in seen.campaigns]
        if seen
        else [],
        "lines": query.refused_lines(rejected_rows(seen.refused)) if seen else [],
        "most": files.SHOWN,
    }
    return render(request, "dashboard/campaigns/receipt_file.html", context)


@post_requires(Action.MANAGE_CONTACTS)
def take_receipts(request: HttpRequest, key: UUID) -> HttpResponse:
    try:
        job = uploads.take(file_of(key, kind=KIND), by=staff_of(request))
    except files.FileGoneError:
        messages.error(request, GONE)
        return redirect("new_receipt_import")
    return redirect("receipt_file", key=job.pk)


@require_safe
@requires(Action.MANAGE_CONTACTS)
def receipts_refused(_request: HttpRequest, key: UUID) -> HttpResponse:
    """The rows that are refused, each by its line and what is wrong with it."""
    return refused_rows(file_of(key, kind=KIND))


@require_safe
@requires(Action.MANAGE_CONTACTS)
def receipt_template(_request: HttpRequest) -> HttpResponse:
    """A file to begin with: every column, and a row as an example."""
    return download(mending.BYTE_ORDER_MARK + mending.receipt_template(), "campaigns-template.csv")


def _ask_for_file(request: HttpRequest, form: ImportForm) -> HttpResponse:
    context: dict[str, Any] = {"section": "campaigns", "form": form, "columns": mending.RECEIPT_COLUMNS}
    return render(request, "dashboard/campaigns/new_receipt_import.html", context)
