"""The push agent: ``GET /api/v1/agents/`` says where it stands, ``POST /api/v1/agents/pause/`` pauses it."""

import math
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, cast

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.errors import Flaw, problem, refused
from recommendations.api.parsing import RawJson, body_of, decoded
from recommendations.api.rendering import as_json
from recommendations.api.review.examples import AGENT_PAUSE, AGENT_PAUSED, AGENTS
from recommendations.api.schema import EVERY_BODY, body_like, problems, schema_of
from recommendations.models import ApiKey
from recommendations.push_terms import AgentStatus
from recommendations.services.access.keys import KnownKey
from recommendations.services.agents.overview import AgentOverview, overview_now
from recommendations.services.agents.supervision import NoSuchStepError, pause_agent
from recommendations.terms import Scope

LONGEST_REASON = 300
LIST = """
The push agent of the shop: how far it may go, whose people there are (`shares` of all people), the `night` that
decides, what it may not do yet (`refusal`, with how many are `missing` where it waits for a number), and what it
learned. A term is listed only where it rests on 100 answers and its interval, of all terms together, leaves out "no
difference": `times` as often a step. null stands for what there is none of.
"""
PAUSE = """
The agent is paused: from the next pass on, within a minute, the rule decides for everybody. What it learned is kept,
and staff let it go on, from where it `was`. The body may be left out. `409` where it is off or paused already.
"""


class SharesOfAgent(Struct):
    agent: float
    rule: float
    held_out: float


class RefusalOfAgent(Struct):
    code: str
    missing: int | None


class TermOfAgent(Struct):
    term: str
    times: float
    low: float
    high: float
    answers: int


class AgentSummary(Struct):
    status: AgentStatus
    since: datetime
    rules: int
    shares: SharesOfAgent
    night: date | None
    learned_at: datetime | None
    answers: Annotated[int, Meta(description="Of the last 56 days.")]
    decisions: Annotated[int, Meta(description="Of the last 56 days, whose outcome is known.")]
    refusal: Annotated[RefusalOfAgent | None, Meta(description="null: it may act.")]
    learned: list[TermOfAgent]


class AgentList(Struct):
    agents: list[AgentSummary]


class AgentPauseBody(Struct, forbid_unknown_fields=True):
    """Why it is paused."""

    reason: Annotated[str, Meta(max_length=LONGEST_REASON, description="Stands on its page and in the trail.")] = ""


class AgentPaused(Struct):
    status: AgentStatus
    was: AgentStatus
    since: datetime


class AgentsView(APIView):
    required_scope = Scope.METRICS_READ

    @extend_schema(
        operation_id="agents",
        summary="The push agent",
        description=LIST,
        responses={200: OpenApiResponse(schema_of(AgentList), description="The agent."), **problems()},
        examples=[AGENTS],
        tags=["review"],
    )
    def get(self, _request: Request) -> HttpResponse:
        return as_json(AgentList([_summary(overview_now(now=timezone.now()))]))


class AgentPauseView(APIView):
    required_scope = Scope.CAMPAIGNS_TRIGGER
    parser_classes = (RawJson,)

    @extend_schema(
        operation_id="agent_pause",
        summary="Pause the push agent",
        description=PAUSE,
        request=body_like(AgentPauseBody),
        responses={
            200: OpenApiResponse(schema_of(AgentPaused), description="It is paused."),
            **problems(*EVERY_BODY, HTTPStatus.CONFLICT),
        },
        examples=[AGENT_PAUSE, AGENT_PAUSED],
        tags=["review"],
    )
    def post(self, request: Request) -> HttpResponse:
        reason = decoded(_body, body_of(request, otherwise=b"{}")).reason.strip()
        if "\x00" in reason:
            raise refused(Flaw("/reason", _("A text holds a character that cannot be stored (U+0000).")))
        by = ApiKey.objects.get(pk=cast("KnownKey", request.auth).pk)
        try:
            paused = pause_agent(reason=reason, by=by, now=timezone.now())
        except NoSuchStepError:
            text = _("The agent is off, or paused already.")
            return problem(HTTPStatus.CONFLICT, text, members={"code": "agent_not_going"})
        return as_json(AgentPaused(AgentStatus(paused.status), AgentStatus(paused.was), paused.since))


_body = msgspec.json.Decoder(AgentPauseBody)


def _summary(stands: AgentOverview) -> AgentSummary:
    version = stands.version.version if stands.version else None
    missing = stands.refusal.facts.get("missing") if stands.refusal else None
    return AgentSummary(
        status=AgentStatus(stands.agent.status),
        since=stands.agent.since,
        rules=stands.agent.rules.number,
        shares=SharesOfAgent(agent=stands.shares.agent, rule=stands.shares.rule, held_out=stands.shares.held),
        night=version.night if version else None,
        learned_at=version.created_at if version else None,
        answers=stands.record.answers,
        decisions=stands.record.decisions,
        refusal=RefusalOfAgent(stands.refusal.code.value, None if missing is None else int(missing))
        if stands.refusal
        else None,
        learned=[
            TermOfAgent(each.term.code, math.exp(each.value), math.exp(each.low), math.exp(each.high), each.answers)
            for each in stands.known
        ],
    )
