"""Practice of the agent over a shop's own customers: a job with a result, and nothing else of it anywhere."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recommendations.engine.push.agent.explain import best_option
from recommendations.engine.simulation import recipient_practice
from recommendations.models import AgentDecision, AgentPractice, AgentVersion, AuditEntry, Customer, Message
from recommendations.push_terms import AgentStatus
from recommendations.services.agents import practice
from recommendations.services.agents.supervision import let_go, the_agent
from recommendations.store import jobs
from recommendations.terms import RunStatus
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


@pytest.fixture(autouse=True)
def _asked_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is put into a queue; the tests do the work themselves."""
    monkeypatch.setattr(jobs, "enqueue", lambda job: None)


def test_a_practice_over_the_shops_customers_says_what_came_of_it() -> None:
    asked = practice.ask_practice(seed=3, by=None)
    assert practice.ask_practice(seed=4, by=None) == asked  # it goes on
    assert practice.report_of(asked) is None
    as_of = NOW + timedelta(days=30)  # months later what the shop's customers did tells nothing of them any more
    assert practice.work(asked.pk, now=as_of) is RunStatus.SUCCEEDED
    own = practice.last_practice()
    assert own == asked
    assert own is not None
    report = practice.report_of(own)
    assert report is not None
    assert (report.seed, report.people) == (3, practice.LEAST)
    assert 0 < report.customers <= Customer.objects.filter(personalise=True).count()
    assert set(report.arms) == set(practice.ARMS)
    assert [len(report.gain(other)) for other in ("rule", "rule_prices")] == [4, 4]
    assert {term.code: term.truth for term in report.terms}["own_hours"] == 1.0
    assert report.morning.is_found
    assert all(0 < arm.leavers < arm.messages for arm in report.arms.values())
    assert report.waiting is not None
    assert best_option(report.waiting) == report.waiting.not_now
    assert practice.ask_practice(seed=4, by=None) != asked


def test_nothing_of_it_stands_anywhere_else(now: datetime) -> None:
    let_go(AgentStatus.WATCHES, note="see", by=None, now=now)
    before = AgentVersion.objects.values_list("digest", "counts").get()
    asked = practice.ask_practice(by=None)
    practice.work(asked.pk)
    assert AgentVersion.objects.values_list("digest", "counts").get() == before
    assert (AgentDecision.objects.count(), Message.objects.count()) == (0, 0)
    assert the_agent().status == AgentStatus.WATCHES
    assert AuditEntry.objects.filter(verb="practise").count() == 1


def test_the_same_seed_says_the_same() -> None:
    """But for the moments that pass between two practices, in which customers grow older."""
    reports = []
    for seed in (5, 5, 6):
        asked = AgentPractice.objects.create(seed=seed)
        practice.work(asked.pk)
        reports.append(practice.report_of(AgentPractice.objects.get(pk=asked.pk)))
    first, second, other = [each.arms["agent"].net for each in reports if each]
    assert first == pytest.approx(second, rel=1e-6)
    assert first != pytest.approx(other, rel=1e-6)


def test_it_stops_when_somebody_cancels_it(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = practice.ask_practice(by=None)
    honest = recipient_practice.RecipientDays.step

    def step(days: recipient_practice.RecipientDays) -> None:
        AgentPractice.objects.update(cancel_requested_at=now)
        honest(days)

    monkeypatch.setattr(recipient_practice.RecipientDays, "step", step)
    assert practice.work(asked.pk) is RunStatus.CANCELLED
    assert practice.report_of(AgentPractice.objects.get()) is None


def test_a_shop_without_customers_is_told_so() -> None:
    Customer.objects.update(personalise=False)
    asked = practice.ask_practice(by=None)
    assert practice.work(asked.pk) is RunStatus.FAILED
    assert AgentPractice.objects.get().message == "The shop knows no customers yet."
    with pytest.raises(CommandError, match="knows no customers"):
        call_command("push_agent", "practice")


def test_the_command_practises_and_prints() -> None:
    out = StringIO()
    call_command("push_agent", "practice", "--seed", "2", stdout=out)
    text = out.getvalue()
    assert "seed 2" in text
    assert "own_hours" in text
    assert "in truth +1.00" in text
    assert text.rstrip().endswith("found")
    with pytest.raises(CommandError, match="from 1 on"):
        call_command("push_agent", "practice", "--seed", "0")
