"""How a customer may be reached, and what they said yes to: ``/api/v1/contacts/{user_id}/``."""

from datetime import datetime, time
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.customers.contact_examples import CONTACT, RECEIPT, STORED, WHOLE, WITHDRAWAL, WITHDRAWN
from recommendations.api.customers.properties import checked_user_id
from recommendations.api.errors import Flaw, problem, refused
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.recommend_bodies import Id
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.models import ApiKey, Contact
from recommendations.push_terms import (
    AddressState,
    Channel,
    ConsentSource,
    ConsentState,
    Obstacle,
    Purpose,
    SuppressionReason,
)
from recommendations.services.contacts.forms import ContactChanges
from recommendations.services.contacts.reading import (
    ContactRecord,
    KeysMissingError,
    SealBrokenError,
    contact_of,
    record_of,
)
from recommendations.services.contacts.rows import ContactRow, take_contacts
from recommendations.services.contacts.staff_acts import erase_for
from recommendations.terms import Scope

KEYS_RETRY_SECONDS = 300  # somebody has to set them first
PUT = """
The whole contact: language, time zone and address get their defaults (none) where the body does not say them.
Statements of consent are only added: none is taken back by leaving it out, and of two about the same purpose the one
with the later `at` holds, whichever comes last; at the same instant a refusal or a withdrawal. One without `at` is of
now. “given” needs its time and a proof.

An address that you do not vouch for (`confirmed`) is asked by e-mail, and until its owner has confirmed it, “given”
stands as `asked`. Addresses are sealed when they are stored, and every answer shows them with stars. Repeating it
changes nothing, and says `unchanged`. A customer who is not known yet is added.
"""
PATCH = "The fields that are given; null empties one. Everything else as by PUT."
GET = """
What is known of a contact: addresses in use, with stars, and what holds for each purpose. A `silent` address must not
be written to, whatever was said: `silent_for` says why. Beside each yes `held_by` says what else has to happen before
mail goes out: `no_address`: send one; `unconfirmed`: its owner confirms it, or you send `confirmed`; `silent`: see the
address; `objection`: the customer wants no recommendations by what they did; `paused`: until `paused_until`.
"""
DELETE = """
Erases addresses, statements and settings for good; the answer is the receipt. Of each address a keyed hash stays, which
can be traced to nobody, so that nothing is sent to it should it be imported again.
"""


class AddressGiven(Struct):
    channel: Channel
    address: Annotated[str, Meta(description="With stars.")]
    state: AddressState
    silent: Annotated[bool, Meta(description="It must not be written to, whatever was said.")]
    silent_for: Annotated[
        SuppressionReason | None,
        Meta(description="Why. Staff end `hard_bounce` and `staff`, its owner `unsubscribed_all`; nothing the others."),
    ]
    confirmation_mails: Annotated[
        int, Meta(description="Mails that asked its owner: two at most, 3 days apart. Then only `confirmed` takes it.")
    ]


class PermissionGiven(Struct):
    """The statement that holds for a purpose."""

    channel: Channel
    purpose: Purpose
    state: ConsentState
    since: datetime
    source: ConsentSource
    held_by: Annotated[
        Obstacle | None,
        Meta(
            description="What keeps mail from going out all the same where it is given; null: nothing of the contact's."
        ),
    ]


class ContactAnswer(Struct):
    user_id: Id
    language: str
    time_zone: Annotated[str | None, Meta(description="null: the shop's.")]
    addresses: list[AddressGiven]
    permissions: list[PermissionGiven]
    personalised: Annotated[bool, Meta(description="false: the customer objects, and gets `news` at the most.")]
    paused_until: datetime | None
    most_a_week: Annotated[int | None, Meta(description="Messages that the customer wants at most.")]
    quiet_from: time | None
    quiet_until: time | None


class ContactStored(ContactAnswer, kw_only=True):
    verdict: Literal["stored", "unchanged"]


class ErasureReceipt(Struct):
    """What an erasure took away, and when."""

    addresses: Annotated[int, Meta(description="Those of former days, of which a hash was left, included.")]
    statements: int
    at: datetime


class ContactsView(APIView):
    """View of contacts; without keys to open addresses it says which settings are missing."""

    required_scope = Scope.CONTACTS_WRITE
    parser_classes = (RawJson,)

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, KeysMissingError):
            return without_keys(
                _(
                    "This installation has no keys for contacts yet: set CONTACT_KEYS, CONTACT_HASH_KEY and LINK_KEYS; "
                    "manage.py push_keys makes them."
                )
            )
        if isinstance(exc, SealBrokenError):
            return without_keys(_("None of the keys in CONTACT_KEYS opens this address: add the one that sealed it."))
        return super().handle_exception(exc)


class ContactView(ContactsView):
    reading_scope = Scope.CONTACTS_READ

    @extend_schema(
        operation_id="contact",
        summary="How a customer may be reached",
        description=GET,
        responses={
            200: OpenApiResponse(schema_of(ContactAnswer), description="The contact."),
            **problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[CONTACT],
        tags=["customers"],
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:  # noqa: ARG002 - given by the framework
        return as_json(_answer(user_id, record_of(_contact(user_id), now=timezone.now())))

    @extend_schema(
        operation_id="contact_put",
        summary="Address and consents of a customer",
        description=PUT,
        request=body_like(ContactChanges),
        responses={
            200: OpenApiResponse(schema_of(ContactStored), description="The contact as it is now."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[WHOLE, STORED],
        tags=["customers"],
    )
    def put(self, request: Request, user_id: str) -> HttpResponse:
        return _stored(user_id, body_of(request), whole=True)

    @extend_schema(
        operation_id="contact_patch",
        summary="Some of what is known of a contact",
        description=PATCH,
        request=body_like(ContactChanges),
        responses={
            200: OpenApiResponse(schema_of(ContactStored), description="The contact as it is now."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[WITHDRAWAL, WITHDRAWN],
        tags=["customers"],
    )
    def patch(self, request: Request, user_id: str) -> HttpResponse:
        return _stored(user_id, body_of(request), whole=False)

    @extend_schema(
        operation_id="contact_delete",
        summary="The erasure of a contact",
        description=DELETE,
        responses={
            200: OpenApiResponse(schema_of(ErasureReceipt), description="It is erased."),
            **problems(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[RECEIPT],
        tags=["customers"],
    )
    def delete(self, request: Request, user_id: str) -> HttpResponse:
        key: Any = request.auth  # a KnownKey, or the permissions have refused
        contact, now = _contact(user_id), timezone.now()
        erasure = erase_for(contact, by=ApiKey(pk=key.pk), now=now)
        return as_json(ErasureReceipt(erasure.addresses, erasure.statements, now))


_body = msgspec.json.Decoder(ContactChanges)


def _contact(user_id: str) -> Contact:
    contact = contact_of(checked_user_id(user_id))
    if contact is None:
        raise Http404(_("There is no contact of this customer."))
    return contact


def _stored(user_id: str, body: bytes, *, whole: bool) -> HttpResponse:
    row, now = ContactRow(user_id=checked_user_id(user_id), form=decoded(_body, body), whole=whole), timezone.now()
    [verdict] = take_contacts([row], source=ConsentSource.API, now=now)
    if verdict.verdict == "rejected":
        others = (Flaw(each.pointer, each.reason) for each in verdict.also)
        raise refused(Flaw(verdict.pointer or "", verdict.reason or ""), *others)
    answer = _answer(user_id, record_of(_contact(user_id), now=now))
    return as_json(ContactStored(**msgspec.structs.asdict(answer), verdict=verdict.verdict))


def _answer(user_id: str, record: ContactRecord) -> ContactAnswer:
    contact = record.contact
    return ContactAnswer(
        user_id=user_id,
        language=contact.language,
        time_zone=contact.time_zone or None,
        addresses=[
            AddressGiven(
                channel=each.channel,
                address=each.address,
                state=each.state,
                silent=each.silent_for is not None,
                silent_for=each.silent_for,
                confirmation_mails=each.confirmation_mails,
            )
            for each in record.addresses
        ],
        permissions=[
            PermissionGiven(
                channel=Channel(each.channel),
                purpose=Purpose(each.purpose),
                state=ConsentState(each.state),
                since=each.since,
                source=ConsentSource(each.source),
                held_by=obstacle,
            )
            for each, obstacle in record.permissions
        ],
        personalised=contact.customer.personalise,
        paused_until=contact.paused_until,
        most_a_week=contact.most_a_week,
        quiet_from=contact.quiet_from,
        quiet_until=contact.quiet_until,
    )


def without_keys(text: str) -> HttpResponse:
    """The answer of an installation that lacks keys, which somebody has to set first."""
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, text)
    answer["Retry-After"] = str(KEYS_RETRY_SECONDS)
    return answer
