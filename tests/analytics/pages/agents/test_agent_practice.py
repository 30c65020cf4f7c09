"""Practice of the agent on its pages: asked for, watched, cancelled, and read beside the truth."""

from datetime import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.queries.agents.practice import practised_part
from recommendations.models import AgentPractice, AuditEntry, Customer
from recommendations.services.agents import practice
from recommendations.store import jobs
from recommendations.terms import RunStatus
from tests.analytics.pages.agents.watched import PAGE, _installed, now, publisher, rules, text_of, viewer, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]
__all__ = ["_installed", "now", "publisher", "rules", "viewer"]
PRACTICE = f"{PAGE}practice/"


@pytest.fixture(autouse=True)
def _asked_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is put into a queue; the tests do the work themselves."""
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)


def practised(*, seed: int = 1) -> AgentPractice:
    asked = AgentPractice.objects.create(seed=seed)
    assert practice.work(asked.pk) is RunStatus.SUCCEEDED
    return AgentPractice.objects.get(pk=asked.pk)


def test_a_publisher_asks_for_one_and_everybody_watches(publisher: Client, viewer: Client) -> None:
    assert "No practice yet" in text_of(viewer, PRACTICE)
    assert "A publisher can let it practise." in text_of(viewer)
    assert "Practise on made people" in text_of(publisher)
    assert viewer.post(f"{PRACTICE}begin/").status_code == 403
    for seed in ("0", "x", "10000", "1.5"):
        answer = publisher.post(f"{PRACTICE}begin/", {"seed": seed})
        assert answer.status_code == 422, seed
        assert f'value="{seed}"' in answer.content.decode()
        assert "The seed is a whole number between 1 and 9999." in words_of(answer.content.decode())
    assert not AgentPractice.objects.exists()
    answer = publisher.post(f"{PRACTICE}begin/", {"seed": "7"})
    assert (answer.status_code, answer.headers["Location"]) == (302, PRACTICE)
    assert publisher.post(f"{PRACTICE}begin/").status_code == 302  # one goes on
    assert AgentPractice.objects.get().seed == 7
    AgentPractice.objects.update(status=RunStatus.RUNNING, progress=0.4)
    for address in (PAGE, PRACTICE):
        text = text_of(viewer, address)
        assert "Made people live through eight weeks:" in text
        assert "Cancel the practice" not in text
    assert "40%" in text_of(viewer, PRACTICE)
    part = viewer.get(PRACTICE, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'hx-trigger="every 1s"' in part


def test_it_is_cancelled_and_asked_for_again_with_another_seed(publisher: Client, viewer: Client) -> None:
    asked = practice.ask_practice(seed=9_999, by=None)
    assert "Waiting for a worker." in text_of(viewer, PRACTICE)
    assert viewer.post(f"{PRACTICE}cancel/").status_code == 403
    assert publisher.post(f"{PRACTICE}cancel/").status_code == 302
    assert publisher.post(f"{PRACTICE}cancel/").status_code == 302  # twice changes nothing
    assert AgentPractice.objects.get(pk=asked.pk).status == RunStatus.CANCELLED
    assert AuditEntry.objects.filter(verb="cancel", object_type="agentpractice").count() == 1
    page = publisher.get(PRACTICE).content.decode()
    assert "The practice was cancelled." in words_of(page)
    assert 'name="seed" value="1"' in page


def test_a_shop_without_customers_and_a_lost_worker_are_told_in_words(viewer: Client, now: datetime) -> None:
    Customer.objects.update(personalise=False)
    asked = practice.ask_practice(by=None)
    practice.work(asked.pk)
    assert "The shop knows no customers yet whose numbers could be taken." in text_of(viewer, PRACTICE)
    AgentPractice.objects.update(message="")
    assert "The practice failed: its worker was lost" in text_of(viewer, PRACTICE)
    AgentPractice.objects.update(status=RunStatus.INTERRUPTED)
    assert "The worker stopped; another one takes over within a minute." in text_of(viewer, PRACTICE)


def test_the_page_reads_like_the_live_one_within_its_queries(viewer: Client) -> None:
    told = practised_part(practised())
    assert told is not None
    viewer.get(PRACTICE)
    with CaptureQueriesContext(connection) as queries:
        text = text_of(viewer, PRACTICE)
    assert len(queries) <= 12
    assert told.lead in text
    assert told.lead in text_of(viewer)
    assert "Planted morning people found: yes." in text
    assert "stands in no other figure" in text
    assert f"{len(told.known_terms)} of 22 known" in text
    assert all(term.words in text for term in told.terms)
    hours = next(term for term in told.known_terms if term.words.startswith("At their own hours people answer"))
    assert hours.truth == "2.7 times"
    truths = {term.words: term.truth for term in told.unknown_terms}
    assert truths["Their own answers by this channel"] == "nobody can say"
    assert truths["Browses"] == "no difference"
    assert [arm.code for arm in told.arms] == ["rule", "rule_prices", "agent"]


def test_why_a_made_person_got_nothing_adds_up(viewer: Client) -> None:
    told = practised_part(practised(seed=2))
    assert told is not None
    one = told.waiting
    assert one is not None
    text = text_of(viewer, PRACTICE)
    assert one.sentence in text
    assert "none was worth what it costs" in one.sentence
    assert one.money in text
    assert "tiredness −$" in one.money
    assert one.money.rsplit(" = ", 1)[1].startswith("−$")
    for place, column in enumerate(one.columns):
        assert abs(sum(line.parts[place] for line in one.lines) - column.score) < 1e-9
        assert column.value.startswith("−$")
