"""Merger of the two ids of one person: ``POST /api/v1/users/merge/``."""

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request

from recommendations.api.cors import BrowserView
from recommendations.api.errors import BadRequestError, Flaw, problem
from recommendations.api.examples import MERGE
from recommendations.api.parsing import RawJson, body_of, flaw_of, malformed
from recommendations.api.recommend_form import Id
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.services.operations.customers import MergedElsewhereError, merge_customers, unmerge_customers
from recommendations.terms import Scope

DESCRIPTION = """
Joins an anonymous id into a signed-in one: what the visitor did counts for the customer from the next answer on. Events
that carry both ids do the same by themselves; this is for shops that send them apart. With `undo` the two are parted
again: each has the events that came under its own id, and later events with both ids leave them parted, until the shop
merges them here again. Either may be sent any number of times. The answer is the same whether or not somebody was known
by these ids, so that a key that may only write learns nothing; who objects to personalisation is not merged.
"""


class MergeBody(Struct, forbid_unknown_fields=True):
    """The two ids of one person, as events have them."""

    anonymous_id: Annotated[Id, Meta(description="Of the visitor.")]
    user_id: Annotated[Id, Meta(description="Of the signed-in customer.")]
    undo: Annotated[bool, Meta(description="true: part the two again.")] = False


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
        body = _parse(body_of(request))
        change = unmerge_customers if body.undo else merge_customers
        try:
            change(anonymous_id=body.anonymous_id, user_id=body.user_id, now=timezone.now())
        except MergedElsewhereError:
            text = _("This anonymous id is merged into another customer. Undo that merger first, with that user_id.")
            return problem(HTTPStatus.CONFLICT, text, flaws=[Flaw("/anonymous_id", text)])
        answer = msgspec.json.encode(MergeAnswer())
        return HttpResponse(answer, status=HTTPStatus.ACCEPTED, content_type="application/json")


_body = msgspec.json.Decoder(MergeBody)


def _parse(content: bytes) -> MergeBody:
    try:
        body = _body.decode(content)
    except msgspec.ValidationError as error:
        raise _refused(flaw_of(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(content, error) from error
    if body.anonymous_id == body.user_id:
        text = _("The two ids are the same; send the visitor's id here, and the customer's as user_id.")
        raise _refused(Flaw("/anonymous_id", text))
    return body


def _refused(flaw: Flaw) -> BadRequestError:
    return BadRequestError(_("The request has errors."), flaws=[flaw])
