"""Experiments: ``GET /api/v1/experiments/`` lists them, ``/api/v1/experiments/{id}/`` has what came of one."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Self

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendations.api.rendering import as_json
from recommendations.api.review.examples import EXPERIMENT, EXPERIMENTS
from recommendations.api.schema import problems, schema_of
from recommendations.engine.privacy.smallest import sayable_count
from recommendations.models import Arm, BlendWeights, Experiment, RuleBook
from recommendations.services.experiments.bandit_verdicts import bandit_verdicts
from recommendations.services.experiments.bandits import last_shares
from recommendations.services.experiments.notes import shipped_arm
from recommendations.services.experiments.results import (
    MetricGroup,
    MetricResult,
    last_readings,
    metric_results,
    sums_by_day,
    sums_of,
)
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric, Scope
from recommendations.wording.experiments import verdict_text

CODE = re.compile(r"e([1-9][0-9]{0,8})", re.ASCII)
MOST = 500  # experiments of a list, the newest first
LIST = """
The experiments of the shop, the newest first, at most 500: which are running, who is in them, and what to do about each
(`decision`, none before the first reading; of a bandit, which has no planned end, its `shares`). Those of practice with
simulated visitors are not among them.
"""
ONE = """
An experiment and its results at the last reading: of each arm but the control `a` and each metric, the mean or ratio of
the control (`control`; of revenue after what people spent before is allowed for, so that it is not quite the plain
mean), the difference as a share of it (`change`, .05 = 5% more) and the interval of that, which is right at every look;
`p` likewise. null stands for what cannot be told yet. Only the `primary` metric and the `guardrail`s decide. `coverage`
is how many different items were in equally many lists of each arm. What an arm `changes` names versions by their
numbers; its `share` is that of today, 0 once it was taken out.
"""


class ArmOfExperiment(Struct):
    variation_id: str
    name: str
    share: float
    changes: Mapping[str, Any]
    people: int | None
    published: bool


class DecisionReached(Struct):
    code: str
    text: str
    at: datetime | None


class ExperimentSummary(Struct):
    experiment_id: str
    name: str
    hypothesis: str
    kind: ExperimentKind
    status: ExperimentStatus
    placements: list[str]
    primary: Metric
    planned_days: int | None
    traffic: float
    started_at: datetime | None
    ended_at: datetime | None
    decision: DecisionReached | None


class EffectOfArm(Struct):
    metric: Metric
    group: MetricGroup
    variation_id: str
    control: float | None
    change: float | None
    low: float | None
    high: float | None
    p: float


class ExperimentDetail(ExperimentSummary):
    arms: list[ArmOfExperiment]
    read_at: datetime | None
    results: list[EffectOfArm]


class ExperimentList(Struct):
    experiments: list[ExperimentSummary]


class ExperimentsView(APIView):
    required_scope = Scope.METRICS_READ

    @extend_schema(
        operation_id="experiments",
        summary="All experiments",
        description=LIST,
        responses={200: OpenApiResponse(schema_of(ExperimentList), description="The experiments."), **problems()},
        examples=[EXPERIMENTS],
        tags=["review"],
    )
    def get(self, _request: Request) -> HttpResponse:
        rows = list(Experiment.objects.filter(simulated=False).prefetch_related("placements").order_by("-pk")[:MOST])
        verdicts = bandit_verdicts(rows)
        return as_json(ExperimentList([ExperimentSummary(**_summary(row, verdicts.get(row.pk))) for row in rows]))


class ExperimentView(APIView):
    required_scope = Scope.METRICS_READ

    @extend_schema(
        operation_id="experiment",
        summary="An experiment and what came of it",
        description=ONE,
        responses={
            200: OpenApiResponse(schema_of(ExperimentDetail), description="The experiment."),
            **problems(HTTPStatus.NOT_FOUND),
        },
        examples=[EXPERIMENT],
        tags=["review"],
    )
    def get(self, _request: Request, experiment_id: str) -> HttpResponse:
        stored = _experiment(experiment_id)
        arms = list(stored.arms.order_by("position"))
        rows = list(last_readings(arms))
        overall, by_day = sums_of(rows, arms), sums_by_day(stored, arms)
        versions = _VersionNumbers.of(arms)
        people = {place: round(sums.n) for place, sums in overall.get(stored.primary, {}).items()}
        shares, shipped = last_shares(stored, before=timezone.localdate() + timedelta(days=1)), shipped_arm(stored)
        body = ExperimentDetail(
            **_summary(stored, bandit_verdicts([stored]).get(stored.pk)),
            arms=[
                ArmOfExperiment(
                    variation_id=arm.letter.lower(),
                    name=arm.name,
                    share=shares.get(arm.position, arm.share),
                    changes=versions.named(arm.changes),
                    people=sayable_count(people.get(arm.position), smallest=settings.SMALLEST_GROUP),
                    published=arm.position == shipped,
                )
                for arm in arms
            ],
            read_at=rows[0].at if rows else None,
            results=[_effect(line) for line in metric_results(stored, arms, overall, by_day)],
        )
        return as_json(body)


def _experiment(code: str) -> Experiment:
    """The experiment that answers call so: e7."""
    match = CODE.fullmatch(code)
    known = Experiment.objects.filter(simulated=False).prefetch_related("placements")
    stored = known.filter(pk=int(match[1])).first() if match else None
    if stored is None:
        raise Http404(_("There is no experiment “%(id)s”.") % {"id": code})
    return stored


def _summary(stored: Experiment, of_bandit: str | None) -> dict[str, Any]:
    return {
        "experiment_id": stored.code,
        "name": stored.name,
        "hypothesis": stored.hypothesis,
        "kind": ExperimentKind(stored.kind),
        "status": ExperimentStatus(stored.status),
        "placements": sorted(placement.name for placement in stored.placements.all()),
        "primary": Metric(stored.primary),
        "planned_days": None if stored.kind == ExperimentKind.BANDIT else stored.planned_days,
        "traffic": stored.traffic,
        "started_at": stored.started_at,
        "ended_at": stored.ended_at,
        "decision": DecisionReached("shares", of_bandit, None) if of_bandit else _decided(stored),
    }


def _decided(stored: Experiment) -> DecisionReached | None:
    decision = stored.decision
    if not decision:
        return None
    text = verdict_text(decision["code"], decision["facts"], primary=stored.primary, kind=stored.kind)
    at = datetime.fromisoformat(decision["at"]) if decision.get("at") else None
    return DecisionReached(decision["code"], text, at)


@dataclass(frozen=True, kw_only=True)
class _VersionNumbers:
    """Numbers of the versions that arms refer to by key, as pages write them; of one that is gone, none."""

    weights: Mapping[int, int]
    rules: Mapping[int, int]

    @classmethod
    def of(cls, arms: Iterable[Arm]) -> Self:
        changes = [arm.changes for arm in arms]
        weights = BlendWeights.objects.filter(
            pk__in={key for each in changes for key in each.get("weights", {}).values()}
        )
        books = RuleBook.objects.filter(pk__in={each["rules"] for each in changes if each.get("rules") is not None})
        return cls(weights=dict(weights.values_list("pk", "number")), rules=dict(books.values_list("pk", "number")))

    def named(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """The changes of an arm, with numbers where it has keys."""
        named = dict(changes)
        if "weights" in changes:
            named["weights"] = {blend: self.weights.get(key) for blend, key in changes["weights"].items()}
        if changes.get("rules") is not None:
            named["rules"] = self.rules.get(changes["rules"])
        return named


def _effect(line: MetricResult) -> EffectOfArm:
    effect = line.effect
    return EffectOfArm(
        metric=Metric(line.metric),
        group=line.group,
        variation_id=chr(ord("a") + line.place),
        control=_number(effect.base),
        change=_number(effect.relative),
        low=_number(effect.share(line.low)),
        high=_number(effect.share(line.high)),
        p=line.p,
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
