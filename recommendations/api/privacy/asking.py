"""What people may ask of the shop: an export, an erasure, many at once; and how much is held of somebody."""

from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.customers.contacts import without_keys
from recommendations.api.customers.properties import checked_user_id
from recommendations.api.errors import Flaw, problem, refused
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.privacy.bodies import (
    EraseBatch,
    EraseBody,
    ExportBody,
    HeldAbout,
    RequestsTaken,
    RequestTaken,
    purposes_held,
    taken,
)
from recommendations.api.privacy.examples import ERASE, ERASE_MANY, EXPORT, HELD
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.models import ApiKey
from recommendations.privacy_terms import EraseMode
from recommendations.services.operations.housekeeping import ValkeyAwayError
from recommendations.services.privacy.erasing import held_about
from recommendations.services.privacy.purposes import standings_of
from recommendations.services.privacy.requests import (
    EraseAsk,
    ExportAsk,
    NoIdsError,
    ReferenceReusedError,
    ask_erase,
    ask_erase_many,
    ask_export,
)
from recommendations.services.privacy.sealed import PersonIds, PrivacyKeysMissingError, SealBrokenError
from recommendations.terms import Scope

EXPORT_TEXT = """
All that is held about one person, as a file: a table as CSV and as JSON for each sheet of each holder, and a page and a
text that explain them. Who was joined to the id is the same person. A worker writes it; ask `status_url` until it is
`done`, then download it within seven days. The answer is the same for an id that nobody knows, whose file is empty.
"""
ERASE_TEXT = """
Erases one person everywhere. Within moments no answer knows them, which the answers of the API show by being those of
an id that was never seen; then every holder deletes its own, all of them are looked through again, and a signed receipt
is there. After the next run of the loop, which learns without them, a second receipt closes the request. An id that
nobody knows is taken like any other, and its receipt says 0. While a legal hold lasts on the person the request is
`held`, and goes on by itself when the hold ends. Taking a `reference` again with another body is a 409.
"""
BATCH_TEXT = """
1 to 1,000 people, each as by `/users/erase/`; each is a request of its own with a receipt of its own. All are taken, or
none where one of them cannot be.
"""
HELD_TEXT = """
How many rows or entries each holder has of a customer, with the anonymous ids that were joined to them, as an erasure
would delete or change them; 0 everywhere for an id that nobody knows. Counts only: what it is stands in an export,
which says where it counts otherwise. And what they allow: to be known (`personalise`), to be measured, to be written to
(`push`).
"""


class PrivacyView(APIView):
    """View of requests for privacy; without keys that seal and sign it says which settings are missing."""

    required_scope = Scope.PRIVACY_WRITE
    parser_classes = (RawJson,)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, PrivacyKeysMissingError):
            text = _("No such request can be taken yet: set %(settings)s; manage.py privacy_keys makes keys.")
            return without_keys(text % {"settings": ", ".join(exc.settings)})
        if isinstance(exc, SealBrokenError):
            return without_keys(_("None of the keys in EXPORT_KEYS opens this: add the one that sealed it."))
        if isinstance(exc, ValkeyAwayError):
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, _("Valkey is away, which holds a part of it. Try again."))
        return super().handle_exception(exc)


class ExportView(PrivacyView):
    @extend_schema(
        operation_id="user_export",
        summary="All that is held about a person",
        description=EXPORT_TEXT,
        request=body_like(ExportBody),
        responses={
            202: OpenApiResponse(schema_of(RequestTaken), description="It is taken in."),
            **problems(*EVERY_BODY, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=EXPORT,
        tags=["privacy"],
    )
    def post(self, request: Request) -> HttpResponse:
        body = decoded(_export_body, body_of(request))
        _check_reference(body)
        ask = ExportAsk(
            user_id=body.user_id, anonymous_ids=tuple(body.anonymous_ids), language=body.lang, reference=body.reference
        )
        try:
            return _accepted(taken(ask_export(ask, by=key_of(request), now=timezone.now())))
        except (NoIdsError, ReferenceReusedError) as error:
            return _refusal(error)


class EraseView(PrivacyView):
    @extend_schema(
        operation_id="user_erase",
        summary="The erasure of a person",
        description=ERASE_TEXT,
        request=body_like(EraseBody),
        responses={
            202: OpenApiResponse(schema_of(RequestTaken), description="It is taken in."),
            **problems(
                *EVERY_BODY, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
            ),
        },
        examples=ERASE,
        tags=["privacy"],
    )
    def post(self, request: Request) -> HttpResponse:
        body = decoded(_erase_body, body_of(request))
        _check_reference(body)
        if body.mode not in set(EraseMode):
            return _unknown_mode(body.mode, "/mode")
        try:
            return _accepted(taken(ask_erase(_erase_ask(body), by=key_of(request), now=timezone.now())))
        except (NoIdsError, ReferenceReusedError) as error:
            return _refusal(error)


class EraseBatchView(PrivacyView):
    @extend_schema(
        operation_id="users_erase",
        summary="The erasure of many people",
        description=BATCH_TEXT,
        request=body_like(EraseBatch),
        responses={
            202: OpenApiResponse(schema_of(RequestsTaken), description="All are taken in."),
            **problems(
                *EVERY_BODY, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE
            ),
        },
        examples=ERASE_MANY,
        tags=["privacy"],
    )
    def post(self, request: Request) -> HttpResponse:
        batch = decoded(_batch_body, body_of(request)).erasures
        for row, body in enumerate(batch):
            _check_reference(body, under=f"/erasures/{row}")
            if body.mode not in set(EraseMode):
                return _unknown_mode(body.mode, f"/erasures/{row}/mode")
        try:
            stored = ask_erase_many(list(map(_erase_ask, batch)), by=key_of(request), now=timezone.now())
        except (NoIdsError, ReferenceReusedError) as error:
            return _refusal(error, under=f"/erasures/{error.position}")
        return _accepted(RequestsTaken([taken(each) for each in stored]))


class HeldAboutView(PrivacyView):
    @extend_schema(
        operation_id="user_privacy",
        summary="How much is held about a person",
        description=HELD_TEXT,
        responses={200: OpenApiResponse(schema_of(HeldAbout), description="Counts by holder."), **problems()},
        examples=HELD,
        tags=["privacy"],
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:  # noqa: ARG002 - given by the framework
        ids = PersonIds(user_id=checked_user_id(user_id))
        return as_json(HeldAbout(user_id, purposes_held(standings_of(ids)), held_about(ids)))


_export_body = msgspec.json.Decoder(ExportBody)
_erase_body = msgspec.json.Decoder(EraseBody)
_batch_body = msgspec.json.Decoder(EraseBatch)


def key_of(request: Request) -> ApiKey:
    key: Any = request.auth  # a KnownKey, or the permissions have refused
    return ApiKey(pk=key.pk)


def _check_reference(body: ExportBody, *, under: str = "") -> None:
    if body.reference is not None and "\x00" in body.reference:
        raise refused(Flaw(f"{under}/reference", _("A text holds a character that cannot be stored (U+0000).")))


def _erase_ask(body: EraseBody) -> EraseAsk:
    return EraseAsk(
        user_id=body.user_id,
        anonymous_ids=tuple(body.anonymous_ids),
        language=body.lang,
        reference=body.reference,
        mode=EraseMode(body.mode),
        export_first=body.export_first,
    )


def _accepted(answer: RequestTaken | RequestsTaken) -> HttpResponse:
    return as_json(answer, status=HTTPStatus.ACCEPTED)


def _unknown_mode(mode: str, pointer: str) -> HttpResponse:
    text = _("“%(mode)s” is no mode; use forget or block.") % {"mode": mode[:100]}
    flaws = [Flaw(pointer, text)]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, text, flaws=flaws, members={"code": "unknown_mode"})


def _refusal(error: NoIdsError | ReferenceReusedError, *, under: str = "") -> HttpResponse:
    if isinstance(error, NoIdsError):
        raise refused(Flaw(under, _("Send user_id, anonymous_ids, or both."))) from error
    text = _("The reference “%(reference)s” is that of another request; its body was another.")
    text %= {"reference": error.reference}
    flaws = [Flaw(f"{under}/reference", text)]
    return problem(HTTPStatus.CONFLICT, text, flaws=flaws, members={"code": "reference_reused"})
