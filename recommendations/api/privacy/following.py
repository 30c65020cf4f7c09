"""What became of a request for privacy: its state, its file, its receipts. A key sees all requests of the shop."""

from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from recommendations.api.errors import problem
from recommendations.api.privacy.asking import PrivacyView, key_of
from recommendations.api.privacy.bodies import PrivacyStatus, ReceiptGiven, ReceiptsGiven, status_of
from recommendations.api.privacy.examples import FILE, RECEIPTS, STATUS
from recommendations.api.rendering import as_json
from recommendations.api.schema import problems, schema_of
from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import RequestState
from recommendations.services.privacy.exports import ExportExpiredError, ExportNotReadyError, open_export
from recommendations.services.privacy.receipts import envelopes

STATUS_TEXT = """
How far a request got: `received`, `held` (a legal hold lasts), `running`, `waiting_for_run` (erased; sums that were
learned with the person go with the next run), `done` or `failed`, with counts by holder. Whichever key asked, every key
with the scope sees it.
"""
DOWNLOAD_TEXT = """
The file of an export, a zip, for seven days; the trail says which key took it. `not_ready` (409): it is not written
yet, or none was asked for. `export_expired` (410): the seven days are over.
"""
RECEIPT_TEXT = """
The signed receipts of an erasure: the first after the scan that found nothing any more, the second after the run that
learned without the person. Nothing in them leads to the person. `not_ready` (409): the first is not there yet. `held`
(423): a legal hold lasts.
"""


class RequestView(PrivacyView):
    @extend_schema(
        operation_id="privacy_request",
        summary="How far a request got",
        description=STATUS_TEXT,
        responses={
            200: OpenApiResponse(schema_of(PrivacyStatus), description="The request."),
            **problems(HTTPStatus.NOT_FOUND),
        },
        examples=STATUS,
        tags=["privacy"],
    )
    def get(self, request: Request, request_id: str) -> HttpResponse:  # noqa: ARG002 - given by the framework
        return as_json(status_of(_stored(request_id)))


class DownloadView(PrivacyView):
    @extend_schema(
        operation_id="privacy_download",
        summary="The file of an export",
        description=DOWNLOAD_TEXT,
        responses={
            (200, "application/octet-stream"): OpenApiResponse(
                {"type": "string", "format": "binary"}, description="The file, a zip."
            ),
            **problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=FILE,
        tags=["privacy"],
    )
    def get(self, request: Request, request_id: str) -> HttpResponseBase:
        stored = _stored(request_id)
        try:
            pieces = open_export(stored, by=key_of(request), now=timezone.now())
        except ExportNotReadyError:
            text = _("There is no file of this request yet.")
            return problem(HTTPStatus.CONFLICT, text, members={"code": "not_ready"})
        except ExportExpiredError:
            text = _("The file is gone: it is kept for seven days, or until the person is erased. Ask for it again.")
            return problem(HTTPStatus.GONE, text, members={"code": "export_expired"})
        answer = StreamingHttpResponse(pieces, content_type="application/octet-stream")
        answer["Content-Disposition"] = f'attachment; filename="{stored.file}"'
        return answer


class ReceiptView(PrivacyView):
    @extend_schema(
        operation_id="privacy_receipt",
        summary="The receipts of an erasure",
        description=RECEIPT_TEXT,
        responses={
            200: OpenApiResponse(schema_of(ReceiptsGiven), description="One or two."),
            **problems(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.LOCKED),
        },
        examples=RECEIPTS,
        tags=["privacy"],
    )
    def get(self, request: Request, request_id: str) -> HttpResponse:  # noqa: ARG002 - given by the framework
        stored = _stored(request_id)
        handed = envelopes(stored)
        if handed:
            return as_json(ReceiptsGiven([ReceiptGiven(**each) for each in handed]))
        if stored.state is RequestState.HELD:
            text = _("A legal hold lasts on this person; the request goes on when it ends.")
            return problem(HTTPStatus.LOCKED, text, members={"code": "held"})
        text = _("There is no receipt yet; an export has none.")
        return problem(HTTPStatus.CONFLICT, text, members={"code": "not_ready"})


def _stored(request_id: str) -> PrivacyRequest:
    try:
        return PrivacyRequest.objects.get(pk=UUID(request_id))
    except (ValueError, PrivacyRequest.DoesNotExist) as error:
        raise Http404(_("There is no such request.")) from error
