"""What customers say of what is done with what they do: to be known, to be measured, to be written to."""

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from recommendations.api.customers.properties import blocked
from recommendations.api.errors import Flaw, refused
from recommendations.api.parsing import body_of, decoded
from recommendations.api.privacy.asking import PrivacyView
from recommendations.api.privacy.bodies import PurposeBody, PurposesHeld, purposes_held
from recommendations.api.privacy.examples import PURPOSE
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.fields import AHEAD, EARLIEST
from recommendations.services.contacts.forms import flaws_of_proof
from recommendations.services.customers import BlockedIdError
from recommendations.services.privacy.purposes import (
    ProofMissingError,
    SaidElsewhereError,
    SaidOfData,
    say,
    standings_of,
)
from recommendations.services.privacy.sealed import PersonIds

DESCRIPTION = """
What a customer said of a purpose: `personalise` (a profile, training, personal answers), `measure` (answers are tied to
what came of them; experiments), `push` (messages). Words are only added; the one said last holds, at the same moment a
no. From the next answer on it is so. Who does not want to be known is answered as a stranger, what was inferred of them
is gone, and what they do later is counted without a name, order, visit, page and answer. A yes after that begins anew,
unless `resume` says that what was before may be learned from again. A no to `push` is one to every kind of message at
every address; a yes to it belongs to an address and a kind, so it goes to `PATCH /contacts/{user_id}/`. A customer who
is not known yet is added: the no holds when they come.
"""


class PurposesView(PrivacyView):
    @extend_schema(
        operation_id="user_purposes",
        summary="What a customer allows",
        description=DESCRIPTION,
        request=body_like(PurposeBody),
        responses={
            200: OpenApiResponse(schema_of(PurposesHeld), description="It is on disk; what holds now."),
            **problems(*EVERY_BODY, HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=PURPOSE,
        tags=["privacy"],
    )
    def post(self, request: Request) -> HttpResponse:
        body, now = decoded(_body, body_of(request)), timezone.now()
        if flaws := list(_flaws(body, now=now)):
            raise refused(*flaws)
        said = SaidOfData(
            user_id=body.user_id, purpose=body.purpose, state=body.state, at=body.at or now, resume=body.resume,
            proof=body.proof,
        )  # fmt: skip
        try:
            say(said, now=now)
        except SaidElsewhereError as error:
            text = _("A yes to messages is about an address and a kind of message: PATCH /api/v1/contacts/{user_id}/.")
            raise refused(Flaw("/state", text)) from error
        except ProofMissingError as error:
            text = _("What was before may be learned from again only with a proof of that: send one.")
            raise refused(Flaw("/proof", text)) from error
        except BlockedIdError as error:
            raise refused(Flaw("/user_id", blocked().message)) from error
        return as_json(PurposesHeld(body.user_id, purposes_held(standings_of(PersonIds(user_id=body.user_id)))))


_body = msgspec.json.Decoder(PurposeBody)


def _flaws(body: PurposeBody, *, now: datetime) -> Iterator[Flaw]:
    if body.at is not None and body.at > now + AHEAD:
        yield Flaw("/at", _("The time lies in the future."))
    if body.at is not None and body.at < EARLIEST:
        yield Flaw("/at", _("The time is before 1990."))
    for flaw in flaws_of_proof(body.proof, pointer="/proof"):
        yield Flaw(flaw.pointer, flaw.reason)
