"""Models of messages as rows: what is saved is not used, and one of a kind is in use at a time."""

from datetime import timedelta
from typing import Any

import pytest

from recommendations.engine.evaluation.intervals import Measure
from recommendations.engine.push.figures import LEARNED, ModelFigures
from recommendations.models import Agent, PushModel
from recommendations.push_terms import AgentStatus, PushModelKind
from recommendations.services.agents.supervision import the_agent
from recommendations.store.push.learned import in_use_beside_agent, latest, put_in_use, save
from tests.push_records import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
DUE = PushModelKind.DUE


def learn(kind: PushModelKind = DUE, *, days: int = 0, refusal: str = "", **parameters: Any) -> PushModel:
    figures = ModelFigures(table={LEARNED: {"top": Measure(0.3, 0.2, 0.4)}})
    return save(kind, at=NOW + days * DAY, until=NOW, parameters=parameters, figures=figures, refusal=refusal)


def test_what_is_saved_is_not_used_before_it_is_put_in_use() -> None:
    learn(a=1)
    assert in_use_beside_agent()[0] == {}
    assert put_in_use(NOW) == [DUE]
    assert in_use_beside_agent()[0] == {DUE: {"a": 1}}


def test_a_later_one_takes_its_place_and_one_that_was_refused_leaves_none() -> None:
    learn(a=1)
    put_in_use(NOW)
    learn(days=1, a=2)
    put_in_use(NOW + DAY)
    assert in_use_beside_agent()[0] == {DUE: {"a": 2}}
    learn(days=2, refusal="no_better", a=3)
    assert put_in_use(NOW + 2 * DAY) == []
    assert in_use_beside_agent()[0] == {}
    assert latest()[DUE].refusal == "no_better"


def test_other_kinds_stay_as_they_are() -> None:
    learn(PushModelKind.FATIGUE, b=1)
    put_in_use(NOW)
    learn(days=1, a=2)
    put_in_use(NOW + DAY)
    assert set(in_use_beside_agent()[0]) == {DUE, PushModelKind.FATIGUE}


def test_a_stage_that_runs_again_writes_it_once() -> None:
    learn(a=1)
    learn(a=2)
    put_in_use(NOW)
    put_in_use(NOW)
    assert in_use_beside_agent()[0] == {DUE: {"a": 2}}
    assert PushModel.objects.count() == 1


def test_old_ones_go() -> None:
    for days in range(40):
        learn(days=days)
        put_in_use(NOW + days * DAY)
    assert PushModel.objects.count() == 31


def test_the_agent_is_on_or_off_beside_them() -> None:
    assert in_use_beside_agent() == ({}, False)
    the_agent()
    assert in_use_beside_agent() == ({}, False)
    Agent.objects.update(status=AgentStatus.WATCHES)
    assert in_use_beside_agent() == ({}, True)
