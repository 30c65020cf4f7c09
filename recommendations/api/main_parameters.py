"""What recommendations go by, for everybody to read: ``GET /api/v1/main-parameters/``."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request

from recommendations.api.examples import answer
from recommendations.api.open_view import OpenView
from recommendations.api.recommend_form import converted
from recommendations.api.rendering import as_json
from recommendations.api.schema import open_problems, parameters_of, schema_of
from recommendations.services.access.readers import reader_language
from recommendations.services.statements import sections_in, statement_at, statement_now

DESCRIPTION = """
The main parameters of the recommendations, as the shop's customers are told (article 27 of the Digital Services Act):
written by the configuration itself, in the transaction in which weights, rules, a placement, a promise to new items or
an experiment is published. No key is needed; a network may ask 60 times a minute. The answer may be kept for five
minutes, and `If-None-Match` with its `ETag` asks whether it still holds.

`sections` is the text, in the language of `lang`, else in the one that `Accept-Language` asks for. `parameters` are the
numbers behind it: of placements with the same order the parts with at least 10 % of the weight, else the three largest,
and how many are `smaller`; percentages are whole numbers.
"""
PARAMETERS = {
    "lang": "Language of the text; where it is not given, what Accept-Language asks for.",
    "at": "The moment whose statement is asked for; where it is not given, now.",
}
MAX_AGE = 300
EXAMPLE = {
    "number": 12, "at": "2026-11-20T10:02:11Z", "lang": "en", "page": "https://recs.shop.example/how-we-recommend/",
    "sections": [
        {
            "title": "On the home page", "placements": ["home"],
            "sentences": [
                "We weigh most: what you buy again and again (61%), what goes with what you bought (26%).",
                "2 other things count less.",
            ],
        }
    ],
    "parameters": {
        "orders": [
            {
                "order": "weights", "by_scope": None, "groups": [],
                "mix": {
                    "parts": [["again", 61], ["fitting", 26]], "smaller": 2, "lifts": {},
                    "diversity": 0, "shuffled": 0, "further_down": 0,
                },
                "placements": {
                    "home": {"scope": "whole", "repeat": "allow", "cool_down": 0, "fatigue": False, "new_items": None}
                },
            }
        ],
        "visit": None, "rules": {"pin": 2}, "tests": [],
    },
}  # fmt: skip


class MainParametersQuery(Struct, forbid_unknown_fields=True):
    lang: Literal["en", "zh-hans"] | None = None
    at: Annotated[datetime, Meta(tz=True)] | None = None


class ParametersSection(Struct):
    title: str
    placements: list[str]
    sentences: list[str]


class MainParametersBody(Struct):
    """A statement; ``number`` goes up with every change."""

    number: int
    at: datetime
    lang: str
    page: str
    sections: list[ParametersSection]
    parameters: dict[str, Any]


class MainParametersView(OpenView):
    @extend_schema(
        operation_id="main_parameters",
        summary="What recommendations go by",
        description=DESCRIPTION,
        parameters=parameters_of(MainParametersQuery, described=PARAMETERS),
        responses={
            200: OpenApiResponse(schema_of(MainParametersBody), description="The statement."),
            304: OpenApiResponse(description="It is the one of your `If-None-Match`."),
            **open_problems(HTTPStatus.NOT_FOUND),
        },
        examples=[answer("In English", EXAMPLE)],
        tags=["recommendations"],
    )
    def get(self, request: Request) -> HttpResponse:
        form = converted(dict(request.query_params.lists()), MainParametersQuery)
        statement = statement_now() if form.at is None else statement_at(form.at)
        if statement is None:
            raise Http404(_("Nothing was stated by then."))
        lang = reader_language(request._request, form.lang)  # noqa: SLF001 - it is counted like a page
        body = MainParametersBody(
            number=statement.number,
            at=statement.at.astimezone(timezone.get_default_timezone()),
            lang=lang,
            page=f"{settings.PUBLIC_URL.rstrip('/')}{reverse('how_we_recommend')}",
            sections=[
                ParametersSection(
                    title=section["title"],
                    placements=[name for name, _place in section["places"]],
                    sentences=[line["text"] for line in section["lines"]],
                )
                for section in sections_in(statement, lang)
            ],
            parameters=statement.parameters,
        )
        done = as_json(body)
        done["ETag"] = tag = f'"{bytes(statement.digest).hex()[:32]}-{lang}"'
        done["Cache-Control"] = f"public, max-age={MAX_AGE}"
        patch_vary_headers(done, ["Accept-Language"])
        given = get_conditional_response(request._request, etag=tag, response=done) or done  # noqa: SLF001
        given["Content-Language"] = lang
        return given
