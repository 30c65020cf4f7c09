"""Intake of the catalogue: ``/api/v1/items/{item_id}/`` and ``/api/v1/items/batch/``."""

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from typing import cast

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.errors import Flaw, refused
from recommendations.api.item_examples import (
    CHANGED,
    CHANGES,
    CHANGES_BATCH,
    CHANGES_VERDICTS,
    CREATED,
    ITEM,
    ITEMS,
    UPDATED,
    VERDICTS,
)
from recommendations.api.parsing import RawJson, body_of, malformed
from recommendations.api.rendering import answered_rows, as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.ingest.refusal import UnreadableError
from recommendations.services.access.keys import KnownKey
from recommendations.services.catalogue import item_schema
from recommendations.services.catalogue import rows as catalogue_rows
from recommendations.services.catalogue.item_checks import BrokenRuleError, checked_id
from recommendations.services.catalogue.item_schema import (
    ItemBatch,
    ItemChanges,
    ItemChangesBatch,
    ItemChangesRowForm,
    ItemForm,
    ItemRowForm,
    RefusedRow,
    RowForm,
)
from recommendations.services.catalogue.rows import ItemRow, ItemVerdict
from recommendations.terms import Scope

PUT = """
The whole item: what the body does not say gets its default (null: unknown). An item that was retired comes back.
Repeating it changes nothing, and says `unchanged`. Categories that do not exist are made, with those above them. A
change of the price is kept with its time. The next answer has the item as it is now: what is sold out (`out_of_stock`,
or a quantity of 0 where it is `in_stock`) is in none.

`embedding` is a vector of the shop's own, in a space that it names: up to 4 spaces, each of one model. It lies beside
what Recsite makes of the texts from the next run on. A body without it leaves the vectors as they are.
"""
PATCH = "The fields that are given, of an item that exists; null empties one. A retired item stays retired."
DELETE = """
The item is in no answer any more; its history is kept. Repeating it changes nothing; a later PUT brings it back.
"""
BATCH = """
1 to 1000 whole items, each as by PUT. Every row gets a verdict: `created`, `updated`, `unchanged` or `rejected` with a
reason and a pointer; a bad row never loses its neighbours. The rows of a parent and of its variants may come in any
order. Any id can be sent here: `/items/{item_id}/` does not reach an item that is called `batch`, or whose id ends in
the name of another address, such as `/tile.svg`.
"""
CHANGE_BATCH = "1 to 1000 items, each as by PATCH, with a verdict per row; for prices and stock alone."
ITEM_ID = OpenApiParameter(
    "item_id", str, OpenApiParameter.PATH, description="The shop's own id, percent-encoded; it may hold slashes."
)


class ItemsAnswer(msgspec.Struct):
    created: int
    updated: int
    unchanged: int
    rejected: int
    results: list[ItemVerdict]


class ItemView(APIView):
    required_scope = Scope.CATALOGUE_WRITE
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="item_put",
        summary="An item as it is now",
        description=PUT,
        parameters=[ITEM_ID],
        request=body_like(ItemForm),
        responses={
            200: OpenApiResponse(schema_of(ItemVerdict), description="It was there: updated or unchanged."),
            201: OpenApiResponse(schema_of(ItemVerdict), description="It was made."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[ITEM, CREATED, UPDATED],
        tags=["catalogue"],
    )
    def put(self, request: Request, item_id: str) -> HttpResponse:
        row = _only_row(item_id, body_of(request), ItemForm)
        [verdict] = catalogue_rows.put_items([row], by=_key(request), now=timezone.now())
        return _answered(verdict)

    @extend_schema(
        operation_id="item_patch",
        summary="Some fields of an item",
        description=PATCH,
        parameters=[ITEM_ID],
        request=body_like(ItemChanges),
        responses={
            200: OpenApiResponse(schema_of(ItemVerdict), description="Updated or unchanged."),
            **problems(*EVERY_BODY, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[CHANGES, CHANGED],
        tags=["catalogue"],
    )
    def patch(self, request: Request, item_id: str) -> HttpResponse:
        row = _only_row(item_id, body_of(request), ItemChanges)
        [verdict] = catalogue_rows.change_items([row], by=_key(request), now=timezone.now())
        if verdict.pointer == "/item_id":
            raise Http404(_("There is no item with this id."))
        return _answered(verdict)

    @extend_schema(
        operation_id="item_delete",
        summary="An item off sale for good",
        description=DELETE,
        parameters=[ITEM_ID],
        responses={
            204: OpenApiResponse(description="It is retired."),
            **problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        tags=["catalogue"],
    )
    def delete(self, request: Request, item_id: str) -> HttpResponse:
        if not catalogue_rows.retire_item(shop_id=_checked(item_id), by=_key(request), now=timezone.now()):
            raise Http404(_("There is no item with this id."))
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


class ItemBatchView(APIView):
    required_scope = Scope.CATALOGUE_WRITE
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="items_put",
        summary="Many items as they are now",
        description=BATCH,
        request=body_like(ItemBatch),
        responses={
            200: OpenApiResponse(schema_of(ItemsAnswer), description="A verdict per row."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[ITEMS, VERDICTS],
        tags=["catalogue"],
    )
    def post(self, request: Request) -> HttpResponse:
        rows = _rows(body_of(request), ItemRowForm)
        return _all_answered(catalogue_rows.put_items(rows, by=_key(request), now=timezone.now()))

    @extend_schema(
        operation_id="items_patch",
        summary="Some fields of many items",
        description=CHANGE_BATCH,
        request=body_like(ItemChangesBatch),
        responses={
            200: OpenApiResponse(schema_of(ItemsAnswer), description="A verdict per row."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[CHANGES_BATCH, CHANGES_VERDICTS],
        tags=["catalogue"],
    )
    def patch(self, request: Request) -> HttpResponse:
        rows = _rows(body_of(request), ItemChangesRowForm)
        return _all_answered(catalogue_rows.change_items(rows, by=_key(request), now=timezone.now()))


def _key(request: Request) -> KnownKey:
    """API key of a request that was let in."""
    return cast("KnownKey", request.auth)


def _checked(item_id: str) -> str:
    try:
        return checked_id(item_id, "item_id")
    except BrokenRuleError as error:
        raise refused(Flaw(error.refusal.pointer, error.refusal.reason)) from error


def _only_row(item_id: str, body: bytes, kind: type[ItemChanges]) -> ItemRow:
    shop_id = _checked(item_id)
    try:
        return ItemRow.of(shop_id, item_schema.read_one(body, kind))
    except (UnreadableError, BrokenRuleError) as error:
        raise refused(Flaw(error.refusal.pointer, error.refusal.reason)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(body, error) from error


def _rows(body: bytes, kind: type[RowForm]) -> list[ItemRow | ItemVerdict]:
    try:
        forms = item_schema.read_batch(body, kind)
    except UnreadableError as error:
        raise refused(Flaw(error.refusal.pointer, error.refusal.reason)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(body, error) from error
    return [_row(form) for form in forms]


def _row(form: RowForm | RefusedRow) -> ItemRow | ItemVerdict:
    if isinstance(form, RefusedRow):
        refusal = form.refusal
    else:
        try:
            return ItemRow.of(checked_id(form.item_id, "/item_id"), form)
        except BrokenRuleError as error:
            refusal = error.refusal
    return ItemVerdict("rejected", form.item_id, refusal.pointer, refusal.reason)


def _answered(verdict: ItemVerdict) -> HttpResponse:
    if verdict.verdict == "rejected":
        raise refused(Flaw(verdict.pointer or "", verdict.reason or ""))
    status = HTTPStatus.CREATED if verdict.verdict == "created" else HTTPStatus.OK
    return as_json(verdict, status=status)


def _all_answered(verdicts: Sequence[ItemVerdict]) -> HttpResponse:
    def answer(counts: Counter[str], results: list[ItemVerdict]) -> ItemsAnswer:
        return ItemsAnswer(
            created=counts["created"], updated=counts["updated"], unchanged=counts["unchanged"],
            rejected=counts["rejected"], results=results,
        )  # fmt: skip

    return answered_rows(verdicts, under="items", none=_("Every item was rejected."), answer=answer)
