"""One request: how far it is, what holders found and did, its receipts, its file; a failed one is tried again."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analytics.pages.access.permission import post_requires, requires, staff_of
from analytics.pages.addresses import or_404
from analytics.queries.privacy import request as query
from analytics.queries.privacy.holds import holds_of
from analytics.queries.privacy.receipts import checked
from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import RequestState
from recommendations.services.access.policy import Action
from recommendations.services.privacy import closing
from recommendations.services.privacy.exports import ExportExpiredError, ExportNotReadyError, open_export
from recommendations.services.privacy.requests import JobIsOverError, try_again
from recommendations.services.privacy.sealed import PrivacyKeysMissingError, SealBrokenError


@require_safe
def privacy_request(request: HttpRequest, pk: UUID) -> HttpResponse:
    record, now = or_404(query.find_request(pk)), timezone.now()
    context = _progress(record) | {
        "section": "privacy",
        "days": query.days_left(record, now=now),
        "digest": bytes(record.subject).hex()[:12],
        "file": query.has_file(record, now=now),
        "problem": query.problem(record),
        "receipts": checked(record.receipts.all()),
        "on_request": True,
        "same_as": record.options.get("same_as"),
        "holds": [hold for hold in holds_of([record]).get(record.pk, ()) if hold.until is None or hold.until > now],
        "ahead": query.run_ahead(record),
    }
    return render(request, "dashboard/privacy/request.html", context)


@require_safe
def privacy_progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Progress of a request, asked for every two seconds; the whole page comes again when its state is another."""
    record = or_404(query.find_request(pk))
    response = render(request, "dashboard/privacy/progress.html", _progress(record))
    if not record.unfinished or request.GET.get("state") not in {None, record.state}:
        response["HX-Refresh"] = "true"
    return response


@post_requires(Action.HANDLE_PRIVACY)
def repeat_privacy_request(request: HttpRequest, pk: UUID) -> HttpResponse:
    record = or_404(query.find_request(pk))
    try:
        try_again(record, by=staff_of(request), now=timezone.now())
    except JobIsOverError:
        messages.warning(request, _("It is under way or done, so there was nothing to repeat."))
    else:
        messages.success(request, _("It goes on where it stopped."))
    return redirect("privacy_request", pk=pk)


@post_requires(Action.RUN_LOOP)
def learn_without(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have a run learn without the person: one that begins now, or after the one that is under way."""
    record = or_404(query.find_request(pk))
    if record.state != RequestState.WAITING_FOR_RUN:
        messages.warning(request, _("No run is needed for this request. Nothing was changed."))
        return redirect("privacy_request", pk=pk)
    run = closing.ask_for_run(record, by=staff_of(request), now=timezone.now())
    if run is None:
        text = _("A run is under way that read events before this erasure. Another begins after it.")
        messages.success(request, text)
        return redirect("privacy_request", pk=pk)
    messages.success(request, _("This run learns without them. What is live stays live until it has finished."))
    return redirect("run", pk=run.pk)


def _progress(record: PrivacyRequest) -> dict[str, Any]:
    """What the part of the page has that comes again while the request goes on."""
    return {
        "record": record,
        "steps": query.steps(record),
        "holders": query.holdings(record),
        "places": query.places_words(record),
    }


@require_safe
@requires(Action.HANDLE_PRIVACY)
def privacy_export(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """The file of an export, opened piece by piece as it leaves; the trail says who took it."""
    record = or_404(query.find_request(pk))
    try:
        pieces = open_export(record, by=staff_of(request), now=timezone.now())
    except (ExportNotReadyError, ExportExpiredError):
        messages.warning(request, _("There is no file, or its time is over. Make a new request for a new one."))
        return redirect("privacy_request", pk=pk)
    except (PrivacyKeysMissingError, SealBrokenError):
        messages.error(request, _("None of the keys in EXPORT_KEYS opens this: add the one that sealed it."))
        return redirect("privacy_request", pk=pk)
    answer = StreamingHttpResponse(pieces, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="export-{str(pk)[:8]}.zip"'
    return answer
