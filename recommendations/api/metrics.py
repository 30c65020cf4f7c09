"""``GET /metrics``: what ``services/operations/metrics.py`` reads, in the text format of Prometheus."""

from collections.abc import Iterable
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.examples import METRICS
from recommendations.api.schema import problems
from recommendations.services.operations.metrics import read_metrics
from recommendations.terms import Scope

DESCRIPTION = """
Requests and their latency, events by verdict, answers by source and reason of the fallback, queues, the age of every
stage of the loop, live versions. Counts are those of all processes together, at most a second old; a figure whose
server does not answer is left out, and `recsite_up` says so.
"""


class Exposition(BaseRenderer):
    """Renderer that names what may be asked for; the view answers with bytes, this writes what ``OPTIONS`` tells."""

    media_type, format = "text/plain", "txt"

    def render(self, data: Any, *_given: Any, **_more: Any) -> bytes:
        return msgspec.json.encode(data)


class Metrics(APIView):
    required_scope = Scope.METRICS_READ
    renderer_classes = (Exposition,)

    @extend_schema(
        operation_id="metrics",
        summary="Figures for Prometheus",
        description=DESCRIPTION,
        responses={
            (200, "text/plain"): OpenApiResponse({"type": "string"}, description="The text format of Prometheus."),
            **problems(),
        },
        examples=[METRICS],
        tags=["operations"],
    )
    def get(self, _request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collected())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Collected(Collector):
    def collect(self) -> Iterable[Metric]:
        return read_metrics(now=timezone.now())
