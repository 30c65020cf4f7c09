"""Those held out come by their message as the others do: out of the same budgets, and by the same later looks."""

from datetime import datetime, time, timedelta

import pytest

from recommendations.models import Considered, Message, PressureRules
from recommendations.push_terms import SENDING, MessageState, Verdict
from recommendations.services.push.sendings import decide_pushes
from tests.push_records import contact
from tests.services.push.test_sendings import campaign, now

__all__ = ["now"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

PEOPLE, A_DAY = 60, 14
DAY = timedelta(days=1)


def counted() -> tuple[int, int, int, int]:
    """People who were sent it and who wait, and the same of those held out."""
    cases = list(Considered.objects.all())
    others, held = ([each for each in cases if (each.verdict == Verdict.HELD_OUT) is side] for side in (False, True))
    sent, would = sum(each.verdict in SENDING for each in others), sum(each.would_send for each in held)
    return sent, len(others) - sent, would, len(held) - would


def test_a_budget_lets_those_held_out_wait_with_the_others_and_come_with_them(now: datetime) -> None:
    PressureRules.objects.create(
        number=1, caps=[], quiet_from=time(0), quiet_until=time(0), holdout=0.0, season="2026-2", is_default=True
    )
    for number in range(PEOPLE):
        contact(f"u{number}")
    campaign("weekly", now, parts={"safety": {"holdout": 0.5, "per_day": A_DAY}, "when": {"expires_hours": 168}})
    decide_pushes(now=now)
    sent, waiting, would, would_wait = counted()
    assert (sent, waiting > 0, would_wait > 0) == (A_DAY, True, True)
    least = min(Considered.objects.filter(verdict__in=SENDING).values_list("value", flat=True))
    held = Considered.objects.filter(verdict=Verdict.HELD_OUT)
    assert {each.would_send for each in held if each.value > least} <= {True}
    assert {(each.would_send, each.otherwise) for each in held if each.value < least} <= {(False, "over_budget")}
    for day in range(1, 5):
        decide_pushes(now=now + day * DAY)
    sent, waiting, would, would_wait = counted()
    assert (waiting, would_wait) == (0, 0)
    assert Message.objects.filter(state=MessageState.HELD).count() == would
    assert Message.objects.exclude(state=MessageState.HELD).count() == sent
