"""Models of messages, as rows: what a run learned, what is in use, and what was learned last of each kind."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import JSONField, Value

from recommendations.engine.push.figures import ModelFigures
from recommendations.models import Agent, PushModel
from recommendations.push_terms import AgentStatus, PushModelKind

_AGENT = "agent"  # no kind of a model
REMEMBERED = 30  # of each kind, beside the one in use

TOO_FEW = "too_few"
NO_BETTER = "no_better"
NOT_CALIBRATED = "not_calibrated"


@transaction.atomic
def save(
    kind: PushModelKind,
    *,
    at: datetime,
    until: datetime | None,
    parameters: Mapping[str, Any],
    figures: ModelFigures | None,
    refusal: str = "",
) -> PushModel:
    """Write what a run of a moment learned, in place of what it wrote before; nothing is in use by that."""
    PushModel.objects.filter(kind=kind, fitted_at=at, in_use=False).delete()
    return PushModel.objects.create(
        kind=kind, fitted_at=at, lessons_until=until, parameters=dict(parameters),
        figures=figures.as_json() if figures else {}, refusal=refusal,
    )  # fmt: skip


@transaction.atomic
def put_in_use(at: datetime) -> list[PushModelKind]:
    """Have what a run of a moment learned used where it passed its gate; where it did not, nothing of the kind is."""
    used = []
    for model in PushModel.objects.filter(fitted_at=at):
        same = PushModel.objects.filter(kind=model.kind)
        same.filter(in_use=True).exclude(pk=model.pk).update(in_use=False)
        if not model.refusal:
            PushModel.objects.filter(pk=model.pk).update(in_use=True)
            used.append(PushModelKind(model.kind))
        last = list(same.filter(in_use=False).order_by("-fitted_at").values_list("pk", flat=True)[REMEMBERED:])
        PushModel.objects.filter(pk__in=last).delete()
    return used


def in_use_beside_agent() -> tuple[dict[PushModelKind, Mapping[str, Any]], bool]:
    """Parameters of all models in use, and whether the agent is on, by one query."""
    on = Agent.objects.exclude(status=AgentStatus.OFF).values_list(Value(_AGENT), Value(None, JSONField()))
    models = PushModel.objects.filter(in_use=True).order_by().values_list("kind", "parameters")
    stored = dict(models.union(on.order_by(), all=True).order_by())
    has_agent = _AGENT in stored
    stored.pop(_AGENT, None)
    return {PushModelKind(kind): parameters for kind, parameters in stored.items()}, has_agent


def latest() -> dict[PushModelKind, PushModel]:
    """What was learned last of each kind, in use or not."""
    stored = PushModel.objects.order_by("kind", "-fitted_at").distinct("kind")
    return {PushModelKind(model.kind): model for model in stored}
