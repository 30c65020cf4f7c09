"""Merger of the two ids of one person: ``POST /api/v1/users/merge/``."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request

from recommendations.api.access import note, quotas_of
from recommendations.api.cors import BrowserView
from recommendations.api.errors import Flaw, problem, refused
from recommendations.api.examples import MERGE
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.recommend_bodies import Id
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.ingest.proofs import proves, why_no_proof
from recommendations.services.customers import (
    MergedElsewhereError,
    Told,
    merge_customers,
    unmerge_customers,
)
from recommendations.terms import Scope, Side

DESCRIPTION = """
Joins an anonymous id into a signed-in one: what the visitor did counts for the customer from the next answer on. Events
that carry both ids do the same by themselves; this is for shops that send them apart. With `undo` the two are parted
again: each has the events that came under its own id, and later events with both ids leave them parted, until the shop
merges them here again. Either may be sent any number of times. The answer is the same whether or not somebody was known
by these ids, so that a key that may only write learns nothing; who objects to personalisation is not merged.

A key in a page needs the `proof` of `POST /api/v1/identity/` for these two ids, and parts nobody; what your server says
replaces what a page has proved. To part two ids the key needs the scope `privacy:write` as well.
"""


class MergeBody(Struct, forbid_unknown_fields=True):
    """The two ids of one person, as events have them."""

    anonymous_id: Annotated[Id, Meta(description="Of the visitor.")]
    user_id: Annotated[Id, Meta(description="Of the signed-in customer.")]
    undo: Annotated[bool, Meta(description="true: part the two again.")] = False
    proof: Annotated[str, Meta(max_length=128, description="Of a page: that the two are one person.")] | None = None


class MergeAnswer(Struct):
    verdict: Literal["accepted"] = "accepted"


class MergeUsers(BrowserView):
    required_scope = Scope.EVENTS_WRITE
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="merge_users",
        summary="Two ids of one person",
        description=DESCRIPTION,
        request=body_like(MergeBody),
        responses={
            202: OpenApiResponse(schema_of(MergeAnswer), description="It is on disk."),
            **problems(*EVERY_BODY, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=MERGE,
        tags=["events"],
    )
    def post(self, request: Request) -> HttpResponse:
        content, quotas = body_of(request), quotas_of(request)
        quotas.take_bytes(len(content))
        body, now = _parse(content), timezone.now()
        note(request, quotas.take_lines(1))
        told = self._teller(request, body, now=now)
        try:
            if body.undo:
                unmerge_customers(anonymous_id=body.anonymous_id, user_id=body.user_id, now=now)
            else:
                merge_customers(anonymous_id=body.anonymous_id, user_id=body.user_id, told=told, now=now)
        except MergedElsewhereError:
            text = _("This anonymous id is merged into another customer. Undo that merger first, with that user_id.")
            return problem(HTTPStatus.CONFLICT, text, flaws=[Flaw("/anonymous_id", text)])
        return as_json(MergeAnswer(), status=HTTPStatus.ACCEPTED)

    def _teller(self, request: Request, body: MergeBody, *, now: datetime) -> Told:
        """Who says that the two are one person; one who may not is refused."""
        key: Any = request.auth  # a KnownKey, or the permissions have refused
        if body.undo and Scope.PRIVACY_WRITE not in key.scopes:
            message = _("To part two ids this API key needs the scope “%(scope)s”.") % {"scope": Scope.PRIVACY_WRITE}
            self.permission_denied(request, message=message)
        if key.side is Side.SERVER:
            return Told.API
        if not proves(body.proof, user_id=body.user_id, anonymous_id=body.anonymous_id, now=now):
            why = why_no_proof(body.proof, user_id=body.user_id, anonymous_id=body.anonymous_id)
            raise refused(Flaw("/proof", why))
        return Told.PAGE


_body = msgspec.json.Decoder(MergeBody)


def _parse(content: bytes) -> MergeBody:
    body = decoded(_body, content)
    if body.anonymous_id == body.user_id:
        text = _("The two ids are the same; send the visitor's id here, and the customer's as user_id.")
        raise refused(Flaw("/anonymous_id", text))
    return body
