"""Past answers: ``GET /api/v1/answers/{id}/`` as served, ``POST /api/v1/answers/{id}/again/`` made again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.errors import Flaw, problem
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.rendering import ArmServed, as_json
from recommendations.api.review.examples import ANSWER_AGAIN, ANSWER_AGAIN_REQUESTS, PAST_ANSWER
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.models import Arm, Item, Slate
from recommendations.services.review.past_answers import (
    CannotMakeError,
    Missing,
    Sameness,
    UnknownVersionError,
    find_slate,
    made_again,
    why_not,
)
from recommendations.terms import Fallback, Scope, Source, Way

DESCRIPTION = """
An answer as it was served, to whoever it was: the items with their scores, and the chance that each had to stand where
it stood. `place` is the rank of an item before this answer explored, null where it only filled up; `way` says whether
neighbours changed places (`shuffled`), or whether one of the last places showed an item from further down (`cards`).
"""
AGAIN = """
The answer, made again by the functions that serve, of what it was made of: its model, weights, rules, catalogue, and
what the customer had done by then. `sameness` says whether it is what was served: `exact` (every item, score and
chance), `rounding` (the same items in the same order; another processor added up otherwise), else `different`, and
`differences` are the ranks where another item stands. `missing` says what of then is not certain. With `instead` it is
made under another version of the weights of its blend, or another book of rules, by their numbers. What can no longer
be made is a 409, and `code` says why.
"""

NOT_RANKED = -1  # the place of an item that only filled up, or of an answer from before places were written down

type WayName = Literal["as_ranked", "shuffled", "cards"]
WAYS: Mapping[Way, WayName] = {Way.AS_RANKED: "as_ranked", Way.SHUFFLED: "shuffled", Way.CARDS: "cards"}
type VersionNumber = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class PastResult(Struct):
    item_id: str
    rank: int
    score: float
    propensity: float
    place: int | None


class AnswerServed(Struct):
    recommendation_id: str
    served_at: datetime
    placement: str
    model_version: str | None
    weights_version: int | None
    rules_version: int
    experiments: list[ArmServed]
    personalised: bool
    source: Source
    fallback_reason: Fallback | None
    way: WayName
    results: list[PastResult]


class InsteadVersions(Struct, frozen=True, forbid_unknown_fields=True):
    weights: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    rules: VersionNumber | None = None


class AgainBody(Struct, forbid_unknown_fields=True):
    instead: InsteadVersions = InsteadVersions()


class AnswerAgain(Struct):
    recommendation_id: str
    sameness: Sameness
    results: list[PastResult]
    differences: list[int]
    missing: list[Missing]


_again = msgspec.json.Decoder(AgainBody)


class AnswerView(APIView):
    required_scope = Scope.METRICS_READ

    @extend_schema(
        operation_id="answer",
        summary="An answer as it was served",
        description=DESCRIPTION,
        responses={
            200: OpenApiResponse(schema_of(AnswerServed), description="The answer."),
            **problems(HTTPStatus.NOT_FOUND),
        },
        examples=[PAST_ANSWER],
        tags=["review"],
    )
    def get(self, _request: Request, recommendation_id: str) -> HttpResponse:
        return as_json(_served(_slate(recommendation_id)))


class AnswerAgainView(APIView):
    required_scope = Scope.METRICS_READ
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="answer_again",
        summary="An answer made again",
        description=AGAIN,
        request=body_like(AgainBody),
        responses={
            200: OpenApiResponse(schema_of(AnswerAgain), description="The answer, made again."),
            **problems(*EVERY_BODY, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
        },
        examples=[*ANSWER_AGAIN_REQUESTS, ANSWER_AGAIN],
        tags=["review"],
    )
    def post(self, request: Request, recommendation_id: str) -> HttpResponse:
        instead, slate = decoded(_again, body_of(request, otherwise=b"{}")).instead, _slate(recommendation_id)
        try:
            made = made_again(slate, weights=instead.weights, rules=instead.rules, now=timezone.now())
        except CannotMakeError as error:
            text = why_not(error, slate, written=lambda day: day.date().isoformat())
            return problem(HTTPStatus.CONFLICT, text, members={"code": error.missing})
        except UnknownVersionError as error:
            return _unknown(error)
        return as_json(
            AnswerAgain(
                recommendation_id=recommendation_id,
                sameness=made.sameness,
                results=_results(
                    (one.product.shop_id, one.score, one.propensity, one.place) for one in made.answer.shown
                ),
                differences=[place + 1 for place in made.differences],
                missing=list(made.missing),
            )
        )


def _slate(recommendation_id: str) -> Slate:
    slate = find_slate(recommendation_id)
    if slate is None:
        raise Http404(
            _("There is no answer “%(id)s”. One that was just given is stored within seconds, by a worker.")
            % {"id": recommendation_id}
        )
    return slate


def _served(slate: Slate) -> AnswerServed:
    names = dict(Item.objects.filter(pk__in=slate.items).values_list("pk", "shop_id"))
    shop_ids = [names.get(item, "") for item in slate.items]
    arms = Arm.objects.filter(pk__in=slate.arms).order_by("experiment_id")
    places = slate.places or [NOT_RANKED] * len(slate.items)
    return AnswerServed(
        recommendation_id=slate.recommendation_id,
        served_at=slate.served_at,
        placement=slate.placement,
        model_version=f"m{slate.model_version}" if slate.model_version else None,
        weights_version=slate.weights_version,
        rules_version=slate.rules_version,
        experiments=[ArmServed(f"e{arm.experiment_id}", arm.letter.lower()) for arm in arms],
        personalised=slate.personalised,
        source=Source(slate.source),
        fallback_reason=Fallback(slate.fallback_reason) if slate.fallback_reason else None,
        way=WAYS[Way(slate.way)],
        results=_results(zip(shop_ids, slate.scores, slate.propensities, places, strict=True)),
    )


def _results(rows: Iterable[tuple[str, float, float, int]]) -> list[PastResult]:
    """Results of shop id, score, chance and place, in the order in which they stand."""
    return [
        PastResult(shop_id, rank, score, chance, place + 1 if place >= 0 else None)
        for rank, (shop_id, score, chance, place) in enumerate(rows, start=1)
    ]


def _unknown(error: UnknownVersionError) -> HttpResponse:
    if error.field == "weights":
        text = _("The blend of this answer has no version %(number)s of its weights.")
    else:
        text = _("There is no version %(number)s of the rules.")
    text %= {"number": error.version}
    flaw = Flaw(f"/instead/{error.field}", text)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, text, flaws=[flaw])
