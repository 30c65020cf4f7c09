"""Proof of who is signed in, for the shop's pages: ``POST /api/v1/identity/``."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.examples import IDENTITY
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.recommend_bodies import Id
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.ingest.proofs import LONGEST, prove
from recommendations.terms import Scope

DESCRIPTION = """
A page can be read and imitated by everybody, so what it says of a customer counts only with a proof. Your server, which
knows who is signed in, asks for one here and writes it into the page, beside the two ids that it is for; the tracker
sends it with every event (`init({user_id, anonymous_id, proof})`). It holds for these two ids and until `expires`, at
most twelve hours; keep it with the session, and ask again when the visitor signs in anew. Leave `anonymous_id` out
where your pages send none.
"""


class IdentityBody(Struct, forbid_unknown_fields=True):
    """Who is signed in, as the page's events will say."""

    user_id: Annotated[Id, Meta(description="Of the signed-in customer.")]
    anonymous_id: Annotated[Id, Meta(description="Of the visitor in this browser.")] | None = None
    seconds: Annotated[int, Meta(ge=60, le=int(LONGEST.total_seconds()), description="How long it holds.")] = int(
        LONGEST.total_seconds()
    )


class IdentityAnswer(Struct):
    proof: str
    expires: datetime


class Identity(APIView):
    required_scope = Scope.IDENTITY_PROVE
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="prove_identity",
        summary="Proof of who is signed in",
        description=DESCRIPTION,
        request=body_like(IdentityBody),
        responses={200: OpenApiResponse(schema_of(IdentityAnswer), description="The proof."), **problems(*EVERY_BODY)},
        examples=IDENTITY,
        tags=["events"],
    )
    def post(self, request: Request) -> HttpResponse:
        body = decoded(_body, body_of(request))
        lasts = timedelta(seconds=body.seconds)
        proof = prove(user_id=body.user_id, anonymous_id=body.anonymous_id, now=timezone.now(), lasts=lasts)
        return as_json(IdentityAnswer(proof.text, proof.expires))


_body = msgspec.json.Decoder(IdentityBody)
