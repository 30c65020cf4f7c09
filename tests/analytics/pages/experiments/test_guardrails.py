"""What a guardrail stops stands in the trail as the system's doing, with its reason, and among what asks for a look."""

import html
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from recommendations.engine.experiments.decision import Verdict, VerdictCode
from recommendations.models import Experiment
from recommendations.services.experiments import readings
from recommendations.services.experiments.bandits import _pause_arm
from recommendations.terms import Metric
from tests.analytics.pages.experiments.drafting import begun, version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

FALLEN = {"low": -0.31, "high": -0.12}
REASON = "with B, the share of visitors who buy fell by between 12% and 31%"


def text(client: Client, address: str) -> str:
    cache.clear()
    return html.unescape(client.get(address).content.decode())


def stopped() -> Experiment:
    test = begun(name="Too bold")
    facts: dict[str, Any] = {"arm": 1, "metric": Metric.CONVERTED, **FALLEN}
    readings._store(test, Verdict(VerdictCode.HARM, facts), now=timezone.now(), replayed=False)
    return test


def test_an_experiment_that_was_stopped_by_itself(admin: Client) -> None:
    test = stopped()
    trail = text(admin, f"/activity/?type=experiment&id={test.pk}&verb=stop")
    assert f"Stopped: {REASON}" in trail
    assert "Scheduled or by command" in trail
    overview = text(admin, "/")
    assert f"A guardrail acted in “Too bold”. Stopped: {REASON}" in overview
    assert f'href="/experiments/{test.pk}/"' in overview
    test.notes.filter(code="harm").update(at=timezone.now() - timedelta(days=8))
    assert "A guardrail acted" not in text(admin, "/")


def test_a_bandits_arm_that_was_taken_out_by_itself(admin: Client) -> None:
    changes = [{"weights": {"home": version(90 + place).pk}} for place in range(2)]
    own = begun(*changes, kind="bandit", primary="ctr", placement="home", name="Which mix")
    _pause_arm(own, own.arms.get(position=1), Metric.CONVERTED, FALLEN, now=timezone.now())
    trail = text(admin, f"/activity/?type=experiment&id={own.pk}&verb=take+out")
    assert f"B gets no more visitors: {REASON}" in trail
    assert "took a version out of" in trail
    assert f"A guardrail acted in “Which mix”. B gets no more visitors: {REASON}" in text(admin, "/")
    Experiment.objects.filter(pk=own.pk).update(status="stopped")
    assert "A guardrail acted" not in text(admin, "/")
