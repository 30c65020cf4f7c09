"""Practice from a draft to its deletion, as somebody who drafts does it; what it says is true, and nothing is live."""

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Experiment, PracticeRun
from recommendations.practice_terms import PracticeEffect
from recommendations.simulation import arm_lists
from recommendations.store import jobs
from recommendations.tasks import practise
from recommendations.terms import Role, RunStatus
from tests.analytics.pages.experiments.drafting import drafted, version
from tests.analytics.pages.experiments.pages import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_lists, "CUSTOMERS", 8)


@pytest.fixture
def editor(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.MERCHANDISER)


def draft(**fields: Any) -> Experiment:
    return drafted({"weights": {"home": version().pk}}, primary="ctr", planned_days=8, **fields)


def post(client: Client, test: Experiment, step: str = "", *, status: int = 302, **fields: Any) -> str:
    answer = client.post(f"/experiments/{test.pk}/practise/{step}", fields)
    assert answer.status_code == status, answer.content
    return html.unescape(answer.content.decode())


def begun(client: Client, test: Experiment, effect: str = PracticeEffect.BETTER) -> Experiment:
    post(client, test, effect=effect, seed="3")
    return Experiment.objects.get(simulated=True)


@pytest.mark.parametrize(("kind", "named"), [("ab", True), ("bandit", True), ("aa", False)])
def test_a_practice_of_the_same_lists_says_so(editor: Client, kind: str, *, named: bool) -> None:
    own = begun(editor, draft(kind=kind, placement="home"))
    words = "B gives all of 300 customers the same lists as A: whatever was chosen to be true, nothing differs"
    assert words not in text(editor, f"/experiments/{own.pk}/")
    truth = {"lifts": {"ctr": [0.0]}, "customers": 300, "people": 24_000, "same": [1]}
    PracticeRun.objects.update(status=RunStatus.SUCCEEDED, truth=truth)
    Experiment.objects.filter(pk=own.pk).update(started_at=timezone.now(), ended_at=timezone.now(), status="stopped")
    page = text(editor, f"/experiments/{own.pk}/")
    assert (words in page) is named
    assert "in truth: A and B get the same" in page  # and not what was chosen
    assert "In truth: A and B get the same" in text(editor, "/experiments/?tab=practice")


def test_from_a_draft_to_a_verdict_and_away_again(editor: Client) -> None:
    test = draft()
    assert "?open=practise" in text(editor, f"/experiments/{test.pk}/")
    page = text(editor, f"/experiments/{test.pk}/?open=practise")
    assert page.count('type="radio" name="effect"') == 4
    own = begun(editor, test)
    address = f"/experiments/{own.pk}/"
    page = text(editor, address)
    assert "Simulated visitors are on their way: 0% done." in page
    assert 'hx-trigger="every 2s"' in page
    assert "What is true" not in page
    run = PracticeRun.objects.get()
    assert run.seed == 3
    assert practise(str(run.pk)) == RunStatus.SUCCEEDED
    page = text(editor, address)
    assert "Ship B:" in page
    assert "seed 3 · in truth: B is clearly better" in page
    assert "What is true" in page
    assert "8 real customers" in page
    assert "8 simulated days · The merchandiser practised it just now" in page
    assert "ago" not in page.split("<h1>")[1].split("</header>")[0]
    listed = text(editor, "/experiments/?tab=practice")
    assert 'data-label="Days">8 simulated days</td>' in listed
    assert f'data-label="Visitors">{own.practice_runs.get().truth["people"]:,}</td>' in listed
    assert "every 2s" not in page
    for step in ("?open=publish", "?open=start", "?open=stop", "/pause/", "/resume/"):
        assert step not in page
    assert "Publish B" not in text(editor, f"{address}?open=publish&arm=B")
    post(editor, own, "again/", seed="4")
    assert PracticeRun.objects.filter(experiment=own).count() == 2
    assert "cancel it first" in post(editor, own, "delete/", status=409)
    assert "cancel it first" in post(editor, own, "again/", status=409, seed="4")
    post(editor, own, "cancel/")
    assert "Cancelled: what was counted until then says nothing." in text(editor, address)
    post(editor, own, "delete/")
    assert list(Experiment.objects.all()) == [test]


def test_a_bandit_practises_too(editor: Client) -> None:
    own = begun(editor, draft(kind="bandit", placement="home"))
    practise(str(PracticeRun.objects.get().pk))
    page = text(editor, f"/experiments/{own.pk}/")
    assert "at the end" in page
    assert "2,000 simulated visitors a day." in page
    assert "Change B" not in page
    assert "without an end" in page
    assert "planned for" not in page
    assert 'data-label="Visitors">2,000 a day</td>' in text(editor, "/experiments/?tab=practice")
    drafts = text(editor, "/experiments/?tab=drafts")
    assert 'data-label="Planned">without an end, 100% of the visitors</td>' in drafts


def test_a_practice_says_what_it_leaves_out_of_its_draft(editor: Client) -> None:
    """Of a bandit who buys always guards, also where the draft has it not; what is not simulated judges nothing."""
    test = draft(kind="bandit", placement="home", traffic=0.5, by_segment=True, guardrails={"latency": 0.2})
    who_buys = "<dd>Visitors who buy: not worse at all"
    assert f"{who_buys}; Time to answer: at most 20.0% worse</dd>" in text(editor, f"/experiments/{test.pk}/")
    page = text(editor, f"/experiments/{begun(editor, test).pk}/")
    assert f"<h1>Practice of “{test.name}”</h1>" in page
    assert f"{who_buys}</dd>" in page
    assert "Unlike the draft, all visitors take part, all segments have the same shares, and answers" in page


def test_a_practice_of_a_test_lists_the_guardrails_that_judge_it(editor: Client) -> None:
    test = draft(guardrails={"latency": 0.2, "dislikes": 0.1, "refunds": 0.1})
    page = text(editor, f"/experiments/{begun(editor, test, PracticeEffect.HARMFUL).pk}/")
    assert "<dd>Money given back: at most 10.0% worse; Visitors who buy: at most 5.0% worse</dd>" in page
    assert "Unlike the draft, all visitors take part, nobody dislikes an item, and answers" in page


def test_practice_has_a_tab_of_its_own(editor: Client) -> None:
    own = begun(editor, draft())
    for tab in ("running", "finished", "drafts"):
        assert f'href="/experiments/{own.pk}/"' not in text(editor, f"/experiments/?tab={tab}")
    page = text(editor, "/experiments/?tab=practice")
    assert f'href="/experiments/{own.pk}/"' in page
    assert "In truth: B is clearly better; practised just now" in page
    assert "simulated day" not in page  # it has not been through any yet
    assert "Practice (1)" in page
    assert "Running (0)" in page
    assert "Drafts (1)" in page


def test_what_is_wrong_is_said_with_its_remedy(editor: Client) -> None:
    test = draft()
    assert "Choose what is to be true of B." in post(editor, test, status=422)
    assert "between 1 and 9999" in post(editor, test, status=422, effect="same", seed="x")
    own = begun(editor, test)
    assert "between 1 and 9999" in post(editor, own, "again/", status=422, seed="0")
    run = PracticeRun.objects.get()
    assert jobs.finish(run, RunStatus.FAILED, now=run.created_at)
    assert "let the shop learn once" in text(editor, f"/experiments/{own.pk}/")
    post(editor, test, "again/", status=404, seed="2")
    post(editor, test, "delete/", status=404)


def test_a_shop_of_ones_own_has_no_practice(editor: Client, settings: Any) -> None:
    settings.DEMO = False
    test = draft()
    assert "?open=practise" not in text(editor, f"/experiments/{test.pk}/")
    assert "Practice (" not in text(editor, "/experiments/")
    post(editor, test, status=404, effect="same")


def test_who_only_looks_sees_it_and_cannot_touch_it(client_of: Callable[[Role], Client], editor: Client) -> None:
    test = draft()
    own, viewer = begun(editor, test), client_of(Role.VIEWER)
    page = text(viewer, f"/experiments/{own.pk}/")
    assert "Nothing of it is served, or in any other figure." in page
    assert "practise/cancel/" not in page
    post(viewer, test, status=403, effect="same")


def test_simulated_visitors_stand_on_no_other_page(editor: Client) -> None:
    own = begun(editor, draft(name="Only for practice"))
    practise(str(PracticeRun.objects.get().pk))
    Experiment.objects.filter(pk=own.pk).update(status="running")
    for address in ("/", "/experiments/", "/stability/", "/quality/", "/weights/", "/shop/"):
        answer = editor.get(address, follow=True)
        if address != "/shop/":
            assert answer.status_code == 200
        assert f"/experiments/{own.pk}/" not in answer.content.decode()
