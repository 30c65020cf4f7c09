"""The commands of experiments and of practice: what they print, and what they say where something is wrong."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from recommendations.models import Experiment, PracticeRun, Staff
from recommendations.simulation import arm_lists
from recommendations.terms import ExperimentStatus, Role
from tests.analytics.conftest import MODEL_BACKEND
from tests.analytics.pages.experiments.drafting import begun, drafted, version
from tests.analytics.pages.experiments.pages import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def said(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def refused(*words: str) -> str:
    with pytest.raises(CommandError) as caught:
        said(*words)
    return str(caught.value)


def test_practice_prints_the_verdict_and_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_lists, "CUSTOMERS", 8)
    draft = drafted({"weights": {"home": version().pk}}, primary="ctr", planned_days=8)
    printed = said("practice", draft.code, "--effect", "worse", "--seed", "2")
    own = Experiment.objects.get(simulated=True)
    assert printed.startswith(f"{own.code}\tsimulated\tKeep A: B lowers")
    assert "in truth\tctr\t-" in printed
    assert PracticeRun.objects.get().seed == 2
    assert f"{own.code}\tstopped\tab (simulated)\tMore like it\tKeep A" in said("experiment", "list")
    assert "only a draft can be practised" in refused("practice", own.code)
    assert "is practice" in refused("experiment", "stop", own.code)


def test_practice_says_what_is_wrong(settings: Any) -> None:
    draft = drafted()
    assert "There is no experiment 'e0'" in refused("practice", "e0")
    assert "There is no experiment 'x'" in refused("experiment", "plan", "x")
    assert "from 1 on" in refused("practice", draft.code, "--seed", "0")
    settings.DEMO = False
    assert "for the demo only" in refused("practice", draft.code)


def test_an_experiment_is_listed_planned_checked_and_stopped() -> None:
    test = begun()
    assert f"{test.code}\trunning\tab\tMore like it\t–" in said("experiment", "list")
    assert refused("experiment", "plan", test.code)  # the shop was not answered enough: the page's own words
    assert "Too little has happened" in refused("experiment", "aa", str(test.pk))
    assert f"{test.code} is stopped" in said("experiment", "stop", test.code)
    test.refresh_from_db()
    assert test.status == ExperimentStatus.STOPPED
    assert "only what runs can be stopped" in refused("experiment", "stop", test.code)


def bandit() -> Experiment:
    return drafted({"weights": {"home": version().pk}}, kind="bandit", primary="ctr", placement="home", planned_days=8)


def test_a_bandit_has_no_plan_and_no_halves() -> None:
    own = bandit()
    assert "has no plan" in refused("experiment", "plan", own.code)
    words = refused("experiment", "aa", own.code)
    assert "past visitors cannot be split" in words
    assert "plan" not in words


def test_a_bandit_says_what_its_page_says(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setattr(arm_lists, "CUSTOMERS", 8)
    printed = said("practice", bandit().code, "--effect", "harmful", "--seed", "3")
    own = Experiment.objects.get(simulated=True)
    words = printed.splitlines()[0].split("\t")[2]
    assert words.startswith("A got ")
    assert words.endswith("keep it")
    assert f"{own.code}\tstopped\tbandit (simulated)\tMore like it\t{words}\n" in said("experiment", "list")
    client.force_login(Staff.objects.create_user("v@example.com", "correct horse", role=Role.VIEWER), MODEL_BACKEND)
    page = text(client, f"/experiments/{own.pk}/")
    assert all(f">{part}" in page for part in words.split(". "))
