"""Views that are open to everybody, without a key: read alone, and counted by the network that asks."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from recommendations.api.access import REQUESTS, note
from recommendations.services.access.readers import count_reader


class ReaderRate(BaseThrottle):
    """Throttle that lets through as many requests a minute as a network may send without a key."""

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = count_reader(request._request, type(view).__name__)  # noqa: SLF001 - counted as pages are
        note(request, {REQUESTS: rate})
        self._wait = rate.wait
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait


class OpenView(APIView):
    """A view that asks for no key. What is sent along is not looked at: nobody gets another answer by it."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (ReaderRate,)
