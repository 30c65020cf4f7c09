"""Headers that say how much of each limit is left (``RateLimit-Policy``, ``RateLimit``), as the IETF's draft has them.

RateLimit-Policy: "requests";q=60000;w=60       limit, and seconds of its window
RateLimit: "requests";r=59999;t=42              what is left, and seconds until it begins anew
"""

import math
from collections.abc import Callable, Mapping

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from recommendations.services.access.rates import Rate

POLICY, STATE = "RateLimit-Policy", "RateLimit"
REQUESTS = "requests"
_NOTED = "recsite.rates"  # in the environment of a request, which both Django and the framework can reach


def note(request: Request, rates: Mapping[str, Rate]) -> None:
    """Note what a request was counted by, for the headers of its answer."""
    request.META.setdefault(_NOTED, {}).update(rates)


def rate_headers(rates: Mapping[str, Rate]) -> list[tuple[str, str]]:
    policies = [f'"{name}";q={rate.limit};w={rate.window}' for name, rate in rates.items()]
    states = [f'"{name}";r={rate.left};t={math.ceil(rate.resets)}' for name, rate in rates.items()]
    return [(POLICY, ", ".join(policies)), (STATE, ", ".join(states))]


class RateHeaders:
    """Middleware that tells what was noted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self._get_response(request)
        if rates := request.META.get(_NOTED):
            for name, value in rate_headers(rates):
                answer[name] = value
        return answer
