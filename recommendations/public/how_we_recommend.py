"""What recommendations go by, for everybody to read: the statement that holds, former versions, and what differs."""

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.csp import CSP
from django.utils.http import urlencode
from django.views.decorators.csp import csp_override

from recommendations.models import RecommendationStatement
from recommendations.public.door import POLICY
from recommendations.services.access.readers import count_reader, reader_language
from recommendations.services.statements import (
    differences,
    sections_in,
    statement_now,
    statement_of,
    statements,
)

MAX_AGE = 300  # seconds
METHODS = ("GET", "HEAD")
DIGITS = 9  # of the highest number that is looked for
CONTENT_POLICY = {**POLICY, "form-action": [CSP.NONE]}


@login_not_required
@csp_override(CONTENT_POLICY)
def how_we_recommend(request: HttpRequest) -> HttpResponse:
    """The statement; ``?version=3`` that one, ``&against=1`` with what differs from another than the one before."""
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    with translation.override(reader_language(request, request.GET.get("lang"))):
        rate = count_reader(request, "statement")
        if rate.wait is not None:
            answer = _page(request, "too_many", {}, status=HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers["Retry-After"] = str(ceil(rate.wait))
            return answer
        now = statement_now()
        own = _chosen(request, "version", otherwise=now.number if now else 0, now=now)
        if now is None or own is None:
            return _page(request, "none", {}, status=HTTPStatus.NOT_FOUND)
        against = _chosen(request, "against", otherwise=own.number - 1, now=now)
        return _with_tag(request, _statement(request, own, against, now=now), (now, own, against))


def _statement(
    request: HttpRequest, own: RecommendationStatement, against: RecommendationStatement | None, *,
    now: RecommendationStatement,
) -> HttpResponse:  # fmt: skip
    language = translation.get_language() or settings.LANGUAGE_CODE
    sections = sections_in(own, language)
    context = {
        "own": own,
        "is_current": own == now,
        "sections": [
            {"title": section["title"], "lines": [line["text"] for line in section["lines"]]} for section in sections
        ],
        "against": against,
        "differences": differences(sections_in(against, language), sections) if against else [],
        "versions": [{"each": each, "address": _address(request, version=each.number)} for each in statements()],
    }
    return _page(request, "statement", context)


def _chosen(
    request: HttpRequest, name: str, *, otherwise: int, now: RecommendationStatement | None
) -> RecommendationStatement | None:
    """The version that a parameter names, or the usual one; None where there is none of that number."""
    text = request.GET.get(name, str(otherwise))
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else 0
    return now if now and number == now.number else statement_of(number) if number else None


def _with_tag(
    request: HttpRequest, answer: HttpResponse, made_of: tuple[RecommendationStatement | None, ...]
) -> HttpResponse:
    """The answer with its tag, or that it is still the same."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    tag = "-".join(bytes(each.digest).hex()[:16] if each else "0" for each in made_of)
    tag = f'"{tag}-{language}-{settings.VERSION}"'
    answer.headers["ETag"] = tag
    answer.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
    given = get_conditional_response(request, etag=tag, response=answer) or answer
    given.headers["Content-Language"] = language
    return given


def _page(
    request: HttpRequest, what: str, context: Mapping[str, Any], *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    current = translation.get_language()
    languages = [
        {
            "code": code,
            "name": translation.get_language_info(code)["name_local"],
            "address": _address(request, **(request.GET.dict() | {"lang": code})),
            "current": code == current,
        }
        for code, _name in settings.LANGUAGES
    ]
    everywhere = {"shop": settings.SHOP_NAME, "language": current, "languages": languages, "what": what}
    content = render_to_string("preferences/how_we_recommend.html", {**everywhere, **context})
    answer = HttpResponse(content, status=status)
    answer.headers["Content-Language"] = current or settings.LANGUAGE_CODE
    answer.headers["Cache-Control"] = "no-store"
    patch_vary_headers(answer, ["Accept-Language"])
    return answer


def _address(request: HttpRequest, **query: str | int) -> str:
    """The page in the language that was chosen, with these parameters."""
    chosen = request.GET.get("lang", "")
    kept = {"lang": chosen} if chosen in dict(settings.LANGUAGES) else {}
    whole = {name: value for name, value in (kept | query).items() if name in {"lang", "version", "against"}}
    return f"{request.path}?{urlencode(whole)}" if whole else request.path
