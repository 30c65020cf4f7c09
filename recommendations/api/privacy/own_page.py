"""A link to the page on which a customer sees, takes along or erases what is held: ``POST /users/privacy-link/``."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.privacy.examples import PRIVACY_LINK
from recommendations.api.recommend_bodies import Id
from recommendations.api.rendering import as_json
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.services.privacy.own_links import link_to_my_data
from recommendations.terms import Scope

SHORTEST, LONGEST = 5, 60  # minutes
TEXT = """
A link to the page *My data*, in the shop's name, on which a customer sees what is held, downloads it, objects to its
use, or has all of it erased. Whoever has the link can do that: give it to the customer alone, who is signed in with
you, as a redirect and not in a page or mail. It works for `minutes`, and no longer once they are erased. An id that
nobody knows gets a link as well, whose page says that nothing is held.
"""


class PrivacyLinkBody(Struct, forbid_unknown_fields=True):
    """Whose page it is to be."""

    user_id: Id
    minutes: Annotated[int, Meta(ge=SHORTEST, le=LONGEST, description="How long the link works.")] = 15
    lang: Annotated[
        Literal["en", "zh-hans"] | None, Meta(description="Of the page; the customer's own where it is not given.")
    ] = None


class PrivacyLinkGiven(Struct):
    url: str
    valid_until: datetime


class PrivacyLinkView(APIView):
    required_scope = Scope.PRIVACY_WRITE
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="user_privacy_link",
        summary="A link to the page of a customer's own data",
        description=TEXT,
        request=body_like(PrivacyLinkBody),
        responses={
            200: OpenApiResponse(schema_of(PrivacyLinkGiven), description="The link."),
            **problems(*EVERY_BODY),
        },
        examples=PRIVACY_LINK,
        tags=["privacy"],
    )
    def post(self, request: Request) -> HttpResponse:
        body = decoded(_body, body_of(request))
        language, now = body.lang or "", timezone.now()
        url, until = link_to_my_data(body.user_id, minutes=body.minutes, language=language, now=now)
        answer = as_json(PrivacyLinkGiven(url, until))
        answer["Cache-Control"] = "no-store"
        return answer


_body = msgspec.json.Decoder(PrivacyLinkBody)
