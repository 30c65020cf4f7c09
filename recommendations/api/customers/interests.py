"""Interest profile of a customer: ``GET /api/v1/users/{id}/interests/``."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.customers.properties import checked_user_id
from recommendations.api.examples import INTERESTS
from recommendations.api.recommend import not_loaded
from recommendations.api.recommend_bodies import Id
from recommendations.api.recommend_form import converted
from recommendations.api.rendering import as_json
from recommendations.api.schema import parameters_of, problems, schema_of
from recommendations.serving.interest_profile import interest_profile
from recommendations.serving.serve import NotLoadedError
from recommendations.terms import Fallback, Scope

DESCRIPTION = """
The interest profile of a signed-in customer, as the recommenders see it, with what it is made of. `share` is the part
of all that the customer did that goes to a category or brand; an act counts half after 90 days, in `lately` after 7.
Shares of somebody who did little lie near `usual`, those of everybody. `purchases` and `other_acts` (views, carts, wish
lists) are the acts behind a share, `last_at` the last of them. Somebody unknown has a cold profile: `known` is false
and the lists are empty; a `segment` of fewer than 20 people is null. Of
somebody who objected to personalisation nothing is told, and `fallback_reason` says so.
"""
PARAMETERS = {"n": "How many categories, and how many brands; 12 where it is not given."}


class InterestsQuery(Struct, forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=1, le=100)] = 12


class InterestGiven(Struct):
    name: str
    path: str
    share: float
    lately: float
    usual: float
    purchases: int
    other_acts: int
    last_at: datetime


class SegmentGiven(Struct):
    number: int
    name: str


class InterestsBody(Struct):
    user_id: Id
    known: bool
    personalised: bool
    fallback_reason: Fallback | None
    model_version: str | None
    as_of: datetime | None
    segment: SegmentGiven | None
    categories: list[InterestGiven]
    brands: list[InterestGiven]


class InterestsView(APIView):
    required_scope = Scope.RECOMMENDATIONS_READ

    @extend_schema(
        operation_id="interests",
        summary="What a customer likes",
        description=DESCRIPTION,
        parameters=parameters_of(InterestsQuery, described=PARAMETERS),
        responses={
            200: OpenApiResponse(schema_of(InterestsBody), description="The profile."),
            **problems(HTTPStatus.SERVICE_UNAVAILABLE),
        },
        examples=[INTERESTS],
        tags=["recommendations"],
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:
        form = converted(dict(request.query_params.lists()), InterestsQuery)
        user_id = checked_user_id(user_id)
        try:
            profile = interest_profile(user_id, most=form.n, now=timezone.now())
        except NotLoadedError:
            return not_loaded()
        body = InterestsBody(
            user_id=user_id,
            known=profile.known,
            personalised=profile.personalised,
            fallback_reason=profile.why_not,
            model_version=f"m{profile.model_version}" if profile.model_version else None,
            as_of=profile.as_of,
            segment=SegmentGiven(*profile.segment) if profile.segment else None,
            categories=[InterestGiven(**one._asdict()) for one in profile.categories],
            brands=[InterestGiven(**one._asdict()) for one in profile.brands],
        )
        return as_json(body)
