"""The list of experiments: by what they are at, with the decision in a sentence and what is compared."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.experiment_terms import NoteCode
from recommendations.models import BlendWeights, Experiment, Slate
from recommendations.services.experiments.lifecycle import stop
from tests.analytics.pages.experiments.drafting import begun, drafted, reading, version
from tests.analytics.pages.experiments.pages import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def test_where_nothing_is_tested_the_list_says_how_to_begin(admin: Client) -> None:
    page = text(admin, "/experiments/")
    assert "Nothing is being tested" in page
    for link in ('href="/weights/"', 'href="/rules/"', 'href="/experiments/new/"'):
        assert link in page


def test_each_experiment_stands_in_its_tab_with_what_it_compares(admin: Client) -> None:
    number = BlendWeights.objects.defaults().get(blend__name="home", segment=None, audience=None).number
    first = begun({"weights": {"home": version().pk}}, name="First", now=timezone.now() - timedelta(days=2))
    second = begun({"placements": {"discover": {"n": 5}}}, name="Second")
    stop(experiment=second, by=None, now=timezone.now())
    drafted(name="Third", traffic=0.4)
    now = timezone.now()
    for arm in first.arms.all():
        for at in (now - timedelta(hours=1), now):
            reading(arm, at, n=1 + arm.position + (at < now), mean=0, sd=0)
            reading(arm, at, n=7, mean=0, sd=0, metric="converted")
            reading(arm, at, n=7, mean=0, sd=0, segment=1)
    page = text(admin, "/experiments/?tab=nonsense")
    assert "Running (1)" in page
    assert "Finished (1)" in page
    assert "Drafts (1)" in page
    assert f"For you: v90 against v{number}" in page
    assert "day 3 of 28" in page
    assert '<td class="num" data-label="Visitors">3</td>' in page  # as its page says, not who was settled since
    assert "No answers counted yet" in page
    assert "Second" not in page
    assert "Placement “Discover”: 5 items against" in text(admin, "/experiments/?tab=finished")
    page = text(admin, "/experiments/?tab=drafts")
    assert "against what is live" in page
    assert "40% of the visitors" in page


def test_tab_and_page_stand_in_the_address_of_many(admin: Client) -> None:
    now = timezone.now()
    fields = {"kind": "ab", "primary": "revenue", "status": "stopped", "started_at": now, "ended_at": now}
    Experiment.objects.bulk_create(Experiment(name=f"Test {number:02d}", **fields) for number in range(51))
    page = text(admin, "/experiments/?tab=finished")
    assert page.count('class="lead-cell"') == 50
    assert "1 to 50 of 51" in page
    assert 'rel="next" href="?tab=finished&page=2"' in page
    page = text(admin, "/experiments/?tab=finished&page=2")
    assert page.count('class="lead-cell"') == 1
    assert "Test 00" in page
    assert 'rel="prev" href="?tab=finished&page=1"' in page
    assert 'class="lead-cell"' in text(admin, "/experiments/?tab=finished&page=99")  # the last one there is


def test_the_decision_stands_with_its_effect(admin: Client) -> None:
    test = begun()
    test.decision = {
        "code": "ship",
        "facts": {"arm": 1, "value": 0.031, "low": 0.004, "high": 0.058, "also_better": []},
    }
    test.save()
    page = text(admin, "/experiments/")
    assert "Ship B: +3.1% in revenue per visitor, at least +0.4%" in page
    assert "tone-good" in page
    assert "<strong>+3.1%</strong><br><small>+0.4% … +5.8%</small>" in page
    test.decision = {"code": "too_early", "facts": {"day": 3, "days": 7, "successes": 61, "needed": 100}}
    test.save()
    page = text(admin, "/experiments/")
    assert "3 of 7 whole days, 61 of 100 buyers in one arm" in page
    assert "<strong>+3.1%" not in page


@pytest.mark.parametrize(
    ("status", "traffic", "advice"),
    [
        ("running", 0.4, "Give it more days, take more of the visitors, or keep A"),
        ("running", 1.0, "Give it more days, or keep A"),
        ("paused", 0.4, "Resume it and give it more days, or keep A"),
        ("stopped", 0.4, "Keep A, or start a copy that runs longer or takes more of the visitors"),
    ],
)
def test_what_came_to_nothing_says_what_is_possible(admin: Client, status: str, traffic: float, advice: str) -> None:
    test = begun(traffic=traffic)
    facts = {"arm": 1, "value": 0.01, "low": -0.008, "high": 0.029, "days": 28}
    test.status, test.decision = status, {"code": "ended", "facts": facts}
    test.ended_at = timezone.now() if status == "stopped" else None
    test.save()
    for address in (f"/experiments/{test.pk}/", f"/experiments/?tab={'finished' if test.ended_at else 'running'}"):
        assert f"by between −0.8% and +2.9%. {advice}<" in text(admin, address)
    Experiment.objects.filter(pk=test.pk).update(kind="aa")
    assert "or keep A" not in text(admin, f"/experiments/{test.pk}/")


def answered(test: Experiment, *, replay: bool, ago: timedelta = timedelta(minutes=5)) -> None:
    """An answer under the second arm of an experiment; of the replay, or of somebody."""
    arm = test.arms.get(position=1)
    Slate.objects.create(
        served_at=timezone.now() - ago, recommendation_id=f"{test.pk}-{replay}-{ago}", placement="home", source="model",
        personalised=True, items=[1], scores=[1.0], propensities=[1.0], arms=[arm.pk], unit=7, replay=replay,
    )  # fmt: skip


@pytest.mark.parametrize("status", ["running", "paused", "stopped"])
def test_that_only_the_replay_came_is_said_in_list_and_page(admin: Client, status: str, settings: Any) -> None:
    hour = timedelta(hours=1)
    test = begun(now=timezone.now() - hour, name="Replayed")
    other = begun({"placements": {"discover": {"n": 5}}}, now=timezone.now() - hour, name="Seen")
    ended_at = timezone.now() if status == "stopped" else None
    Experiment.objects.update(status=status, ended_at=ended_at)
    tab = "finished" if ended_at else "running"
    words = "Only customers of the replay came so far: they bought anyway"
    answered(test, replay=False, ago=2 * hour)  # before the start
    for own in (test, other):
        answered(own, replay=True)
    answered(other, replay=False)
    answered(test, replay=False, ago=timedelta(seconds=5))  # of which nobody knows yet whose it is
    listed = text(admin, f"/experiments/?tab={tab}")
    assert listed.count(words) == 1
    assert words in text(admin, f"/experiments/{test.pk}/")
    assert words not in text(admin, f"/experiments/{other.pk}/")
    assert ("Paused: until it is resumed, everybody gets what is live" in text(admin, f"/experiments/{test.pk}/")) is (
        status == "paused"
    )
    assert '<td class="num" data-label="Visitors">–</td>' in listed  # nobody was read, there or here
    settings.DEMO = False
    assert words not in text(admin, f"/experiments/?tab={tab}")
    answered(test, replay=False)
    settings.DEMO = True
    assert words not in text(admin, f"/experiments/{test.pk}/")


def test_what_is_paused_or_ended_without_a_verdict_says_so(admin: Client) -> None:
    test = begun()
    Experiment.objects.update(status="paused")
    words = "Paused: until it is resumed, everybody gets what is live and nobody new takes part. Nothing was counted<"
    assert words in text(admin, f"/experiments/{test.pk}/")
    assert words in text(admin, "/experiments/")
    now = timezone.now()
    for arm in test.arms.all():
        reading(arm, now, n=40, mean=10, sd=5)
    Experiment.objects.update(status="stopped", ended_at=now)
    page = text(admin, f"/experiments/{test.pk}/")
    assert "There is no verdict: it ended before the first one<" in page
    assert "Nothing was counted" not in page
    assert '<td class="num" data-label="Visitors">80</td>' in text(admin, "/experiments/?tab=finished")


def test_a_draft_that_did_not_start_says_why_until_it_is_changed(admin: Client) -> None:
    draft = drafted(name="Same again")
    facts = {"why": "same_lists", "arms": [1], "asked": 500, "revision": draft.revision}
    draft.notes.create(at=timezone.now(), code=NoteCode.START_FAILED, facts=facts)
    assert "B is the same as A for 500 of 500 customers." in text(admin, "/experiments/?tab=drafts")
    assert "tone-bad" in text(admin, "/experiments/?tab=drafts")
    Experiment.objects.filter(pk=draft.pk).update(revision=draft.revision + 1)
    assert "B is the same as A" not in text(admin, "/experiments/?tab=drafts")
