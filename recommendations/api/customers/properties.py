"""What the shop says of a customer: ``PATCH /api/v1/users/{id}/``."""

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.errors import Flaw, refused
from recommendations.api.examples import PROPERTIES
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.recommend_form import converted
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.fields import LONGEST_ID, LONGEST_PROPERTY, LONGEST_PROPERTY_TEXT, MOST_PROPERTIES
from recommendations.ingest.refusal import escaped
from recommendations.services.customers import BlockedIdError, TooManyPropertiesError, set_properties
from recommendations.terms import Scope

LARGEST = 1e15
DESCRIPTION = f"""
Properties by which your staff describe audiences: a city, a loyalty level, a birthday month. Only those that are sent
change; null deletes one. At most {MOST_PROPERTIES} of a customer. Send nothing by which somebody could be named, such
as an e-mail address: staff see the values. Who objects to personalisation is in no audience. Repeating it changes
nothing. A customer who is not known yet is added.
"""


_LIMITS = {
    "minProperties": 1, "maxProperties": MOST_PROPERTIES,
    "propertyNames": {"minLength": 1, "maxLength": LONGEST_PROPERTY},
}  # fmt: skip


class CustomerChanges(Struct, forbid_unknown_fields=True):
    """What is to be changed of a customer."""

    properties: Annotated[
        dict[str, Annotated[str, Meta(extra_json_schema={"maxLength": LONGEST_PROPERTY_TEXT})] | float | bool | None],
        Meta(description="By name; null deletes one.", extra_json_schema=_LIMITS),
    ]


class CustomerVerdict(Struct):
    verdict: Literal["updated", "unchanged"]


class _Named(Struct):
    user_id: Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]


class CustomerView(APIView):
    required_scope = Scope.CUSTOMERS_WRITE
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="customer_patch",
        summary="What you say of a customer",
        description=DESCRIPTION,
        request=body_like(CustomerChanges),
        responses={
            200: OpenApiResponse(schema_of(CustomerVerdict), description="It is on disk."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=PROPERTIES,
        tags=["customers"],
    )
    def patch(self, request: Request, user_id: str) -> HttpResponse:
        changes = _parse(body_of(request))
        user_id = checked_user_id(user_id)
        try:
            changed = set_properties(user_id=user_id, properties=changes.properties)
        except BlockedIdError as error:
            raise refused(blocked()) from error
        except TooManyPropertiesError as error:
            text = _("The customer would have %(n)s properties, at most %(most)s are kept: delete some with null.")
            raise refused(Flaw("/properties", text % {"n": error.number, "most": MOST_PROPERTIES})) from error
        return as_json(CustomerVerdict("updated" if changed else "unchanged"))


def checked_user_id(user_id: str) -> str:
    """The id of an address, which is refused where it is too long."""
    return converted({"user_id": [user_id]}, _Named).user_id


def blocked() -> Flaw:
    """Why nothing is kept of an id in an address that was erased for good."""
    return Flaw("user_id", _("This id was erased and is blocked; nothing is kept of it until the block is lifted."))


_body = msgspec.json.Decoder(CustomerChanges)


def _parse(content: bytes) -> CustomerChanges:
    body = decoded(_body, content)
    if not 1 <= len(body.properties) <= MOST_PROPERTIES:
        raise refused(Flaw("/properties", _("Send 1 to %(most)s properties.") % {"most": MOST_PROPERTIES}))
    flaws = [
        Flaw(f"/properties/{escaped(name)}", problem)
        for name, value in body.properties.items()
        if (problem := _problem(name, value))
    ]
    if flaws:
        raise refused(*flaws)
    return body


def _problem(name: str, value: object) -> str:
    """What is wrong with a property; "" where nothing is."""
    if any(isinstance(text, str) and "\x00" in text for text in (name, value)):
        return _("A text holds a character that cannot be stored (U+0000).")
    if not 1 <= len(name) <= LONGEST_PROPERTY:
        return _("A name has 1 to %(longest)s characters.") % {"longest": LONGEST_PROPERTY}
    if isinstance(value, str) and len(value) > LONGEST_PROPERTY_TEXT:
        return _("A text has at most %(longest)s characters.") % {"longest": LONGEST_PROPERTY_TEXT}
    if isinstance(value, float) and not -LARGEST <= value <= LARGEST:
        return _("The number is out of range.")
    return ""
