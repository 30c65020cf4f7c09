"""Content negotiation: there is JSON alone, so only a request for another form is looked at closely."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

PLAIN = frozenset({"", "*/*", "application/json"})


class Negotiation(DefaultContentNegotiation):
    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        only, *others = renderers
        if not others and only.media_type == "application/json" and request.META.get("HTTP_ACCEPT", "") in PLAIN:
            return only, only.media_type
        return super().select_renderer(request, renderers, format_suffix)
