"""What a customer says they like: ``/api/v1/users/{id}/taste/``."""

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
from rest_framework.views import APIView

from recommendations.api.customers.properties import blocked, checked_user_id
from recommendations.api.customers.taste_examples import GIVEN, STATED, WITHDRAWN
from recommendations.api.errors import Flaw, refused
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.fields import LONGEST_ID, LONGEST_PATH, LONGEST_TAG
from recommendations.services.customers import BlockedIdError
from recommendations.services.taste import (
    NothingKnownError,
    Taste,
    TasteOfCustomer,
    state_taste,
    taste_of,
    withdraw_taste,
)
from recommendations.terms import Scope

MOST = 50  # of each kind
DESCRIPTION = f"""
What somebody said when you asked them what they like: categories (whole paths; what lies under them counts, too), items
and tags, at most {MOST} of each, in the place of what they said before. Their very next answer is made of it: it counts
for three acts, and fades with the first ten that they really do. Reasons say so (`stated`: “You told us that you like
Tea”). What the catalogue does not know is named in `unknown` and left out; where it knows nothing of all that, it is a
400 and nothing changes. Send it from your server: nobody else knows who is signed in. Of somebody who objected to
personalisation it is kept and not used (`counts` is false). A customer who is not known yet is added.
"""
GIVES = "What a customer said they like, as it is kept; three empty lists where they said nothing."
LEAVES = "Forgets what a customer said they like; their next answer knows nothing of it. Repeating it changes nothing."

type Named = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]


class TasteBody(Struct, forbid_unknown_fields=True):
    """What a customer says they like; at least one thing."""

    categories: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=LONGEST_PATH)]],
        Meta(max_length=MOST, description="From the root: Shoes > Running."),
    ] = []
    item_ids: Annotated[list[Named], Meta(max_length=MOST)] = []
    tags: Annotated[list[Annotated[str, Meta(min_length=1, max_length=LONGEST_TAG)]], Meta(max_length=MOST)] = []


class TasteGiven(Struct):
    """What is kept of it."""

    categories: list[str]
    item_ids: list[str]
    tags: list[str]
    stated_at: datetime | None
    counts: Annotated[bool, Meta(description="False where the customer objected to personalisation.")]


class TasteUnknown(Struct):
    """What the catalogue does not know."""

    categories: list[str]
    item_ids: list[str]
    tags: list[str]


class TasteStated(TasteGiven):
    unknown: TasteUnknown


class TasteWithdrawn(Struct):
    verdict: Literal["withdrawn", "unchanged"]


class TasteView(APIView):
    required_scope = Scope.CUSTOMERS_WRITE
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="taste_state",
        summary="What a customer says they like",
        description=DESCRIPTION,
        request=body_like(TasteBody),
        responses={
            200: OpenApiResponse(schema_of(TasteStated), description="It is on disk, and the next answer knows of it."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=STATED,
        tags=["customers"],
    )
    def post(self, request: Request, user_id: str) -> HttpResponse:
        stated = _parse(body_of(request))
        try:
            now_kept, unknown = state_taste(checked_user_id(user_id), stated, now=timezone.now())
        except BlockedIdError as error:
            raise refused(blocked()) from error
        except NothingKnownError as error:
            raise refused(*_flaws(stated, error.unknown)) from error
        lists = {"categories": unknown.categories, "item_ids": unknown.item_ids, "tags": unknown.tags}
        return as_json(TasteStated(**_fields(now_kept), unknown=TasteUnknown(**{k: [*v] for k, v in lists.items()})))

    @extend_schema(
        operation_id="taste",
        summary="What a customer said they like",
        description=GIVES,
        responses={
            200: OpenApiResponse(schema_of(TasteGiven), description="What is kept."),
            **problems(HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[GIVEN],
        tags=["customers"],
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:  # noqa: ARG002 - given by the framework
        return as_json(TasteGiven(**_fields(taste_of(checked_user_id(user_id)))))

    @extend_schema(
        operation_id="taste_withdraw",
        summary="Forget what a customer said they like",
        description=LEAVES,
        responses={
            200: OpenApiResponse(schema_of(TasteWithdrawn), description="It is gone."),
            **problems(HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[WITHDRAWN],
        tags=["customers"],
    )
    def delete(self, request: Request, user_id: str) -> HttpResponse:  # noqa: ARG002 - given by the framework
        gone = withdraw_taste(checked_user_id(user_id))
        return as_json(TasteWithdrawn("withdrawn" if gone else "unchanged"))


_body = msgspec.json.Decoder(TasteBody)


def _parse(content: bytes) -> Taste:
    body = decoded(_body, content)
    stated = Taste(categories=body.categories, item_ids=body.item_ids, tags=body.tags)
    if stated.is_empty:
        raise refused(Flaw("/categories", _("Name at least one category, item or tag.")))
    flaws = [
        Flaw(f"/{field}/{at}", _("A text holds a character that cannot be stored (U+0000)."))
        for field in TasteBody.__struct_fields__
        for at, name in enumerate(getattr(body, field))
        if "\x00" in name
    ]
    if flaws:
        raise refused(*flaws)
    return stated


def _flaws(stated: Taste, unknown: Taste) -> list[Flaw]:
    """What is wrong with each name, where the catalogue knows none of them."""
    texts = {
        "categories": _("There is no such category; a path goes from the root: Shoes > Running."),
        "item_ids": _("There is no such item."),
        "tags": _("No item has this tag."),
    }
    return [
        Flaw(f"/{field}/{list(getattr(stated, field)).index(name)}", text)
        for field, text in texts.items()
        for name in getattr(unknown, field)
    ]


def _fields(kept: TasteOfCustomer) -> dict[str, Any]:
    taste = kept.taste
    return {
        "categories": list(taste.categories), "item_ids": list(taste.item_ids), "tags": list(taste.tags),
        "stated_at": kept.stated_at, "counts": kept.counts,
    }  # fmt: skip
