"""What a draft of rules would have let through: never more than its windows hold, all where nothing is in the way."""

import time as clock
from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recommendations.engine.push.competition import HOUR, PressureCap, SentMessage, fits
from recommendations.engine.push.timing import QuietHours
from recommendations.models import Considered, Contact, Message, MessageEvent, Occurrence
from recommendations.push_terms import SETTLED_CLICK, MessageEventKind, MessageState, OccurrenceState, Verdict
from recommendations.services.campaigns import pressure_estimate
from recommendations.services.campaigns.pressure import DEFAULT, CapForm, PressureForm
from recommendations.services.campaigns.pressure_estimate import TriedRules, estimate, run_again
from recommendations.store.push.pressure import PastMessage, prove
from tests.push_records import NOW, campaign, contact, pressure
from tests.store.push.test_people import message

ALWAYS = QuietHours(time(0), time(0))
DAY, WEEK = 24 * HOUR, 168 * HOUR
NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)


def past(person: int = 1, *, hours: float = 0, **fields: Any) -> PastMessage:
    at = NOON + timedelta(hours=hours)
    values = {
        "campaign": 1, "channel": "email", "decided": at.timestamp(), "at": at, "expires_at": at + timedelta(days=3),
        "priority": "campaign", "holdout": 0.0, "value": 1.0, "held": False, "zone": "", "quiet_from": None,
        "quiet_until": None, "clicked": False,
    }  # fmt: skip
    return PastMessage(person=person, **{**values, **fields})


def rules(*caps: PressureCap, **fields: Any) -> TriedRules:
    values = {"quiet": ALWAYS, "per_day": None, "holdout": 0.0, "season": None, "zone": ZoneInfo("Europe/London")}
    return TriedRules(caps=caps, **{**values, **fields})


def would(messages: list[PastMessage], draft: TriedRules) -> int:
    return run_again(messages, draft, since=0.0)["would"]


def test_nothing_in_the_way_lets_all_through() -> None:
    every = [past(hours=hours) for hours in range(50)]
    counts = run_again(every, rules(), since=every[10].decided)
    assert (counts["sent"], counts["would"]) == (40, 40)


def test_a_cap_lets_the_first_of_each_window_through() -> None:
    every = [past(hours=hours) for hours in (0, 10, 24, 47, 48)] + [past(2, hours=48)]
    assert would(every, rules(PressureCap("email", 1, DAY))) == 4


def test_of_one_decision_the_better_goes() -> None:
    plain, better = past(value=1.0), past(campaign=2, value=5.0, clicked=True)
    counts = run_again([plain, better], rules(PressureCap(None, 1, DAY)), since=0.0)
    assert counts == {"sent": 2, "would": 1, "clicked": 1, "clicked_still": 1}


def test_no_window_of_any_length_ever_holds_more_than_its_cap() -> None:
    random = Random(7)
    for _ in range(200):
        caps = [PressureCap(None, random.randint(1, 3), DAY), PressureCap("email", random.randint(1, 5), WEEK)]
        every = sorted(
            (past(random.randint(1, 3), hours=random.random() * 500, value=random.random()) for _ in range(40)),
            key=lambda each: each.decided,
        )
        through = defaultdict(list)
        for each in pressure_estimate._going(every, rules(*caps)):
            through[each.person].append(SentMessage(each.at.timestamp(), each.channel))
        assert all(fits(messages, caps) for messages in through.values())
        assert sum(map(len, through.values())) <= len(every)


def test_quiet_hours_move_a_message_and_lose_what_is_then_too_late() -> None:
    quiet = QuietHours(time(11), time(18))
    late = past(hours=1, expires_at=NOON + timedelta(hours=3))
    assert would([past(), late], rules(quiet=quiet)) == 1
    assert would([past(quiet_from=time(1), quiet_until=time(2))], rules(quiet=quiet)) == 1
    moved = [past(), past(hours=23)]  # at 18:00 where the shop is, and at 11:59 of the next day, which is 18:00 again
    assert would(moved, rules(PressureCap(None, 1, DAY), quiet=quiet)) == 2


def test_a_budget_keeps_the_best_of_a_day() -> None:
    every = [past(person, value=float(person), clicked=person > 2) for person in range(1, 6)] + [past(9, hours=24)]
    counts = run_again(every, rules(per_day=3), since=0.0)
    assert (counts["would"], counts["clicked_still"]) == (4, 3)


def test_a_larger_holdout_takes_people_out_and_a_smaller_one_lets_shadows_in() -> None:
    every = [past(person) for person in range(1_000)] + [past(person, held=True) for person in range(1_000, 2_000)]
    some = would(every, rules(holdout=0.5, season=b"push:2026-2"))
    assert some == pytest.approx(1_000, abs=60)
    assert would(every, rules(holdout=0.0, season=b"push:2026-2")) == 2_000
    assert would(every, rules(holdout=0.9)) == 1_000  # the same as it was
    asked = [past(person, priority="service") for person in range(100)]
    assert would(asked, rules(holdout=0.5, season=b"push:2026-2")) == 100


def test_a_hundred_thousand_messages_take_two_seconds() -> None:
    random = Random(3)
    every = sorted(
        (past(random.randint(1, 20_000), hours=random.random() * 670) for _ in range(100_000)),
        key=lambda each: each.decided,
    )
    caps = (PressureCap("email", 1, DAY), PressureCap("email", 3, WEEK), PressureCap(None, 5, WEEK))
    begun = clock.process_time()
    run_again(every, rules(*caps, quiet=QuietHours(time(21), time(8))), since=0.0)
    assert clock.process_time() - begun < 4.0  # twice of what it takes, as machines differ


@pytest.mark.django_db
def test_only_what_left_counts_as_sent_as_in_the_proof_that_rules_were_kept() -> None:
    live = {"holdout": DEFAULT.holdout, "created_at": NOW - timedelta(days=60)}  # the draft holds nobody else out
    pressure(caps=[], quiet_from=time(0), quiet_until=time(0), **live)
    states = {each: each in {MessageState.TAKEN, MessageState.UNKNOWN, MessageState.HANDING} for each in MessageState}
    for number, (state, left) in enumerate(states.items()):
        handed = NOW - timedelta(hours=1) if left or state in {MessageState.REFUSED, MessageState.GONE} else None
        one = message(contact(f"u{number}"), state=state, due_at=NOW + timedelta(hours=3), handed_at=handed)
        Message.objects.filter(pk=one.pk).update(created_at=NOW - timedelta(hours=2))
    told = estimate(DEFAULT, now=NOW)
    assert (told.sent, told.would) == (prove("UTC").messages, 3) == (3, 3)
    looser = estimate(
        PressureForm(caps=[], quiet_from=time(0), quiet_until=time(0), holdout=0.0, per_day=None), now=NOW
    )
    assert looser.would == 3  # who is held out would not have been sent it by now


@pytest.mark.django_db
def test_the_real_messages_of_the_last_weeks_are_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pressure(caps=[], quiet_from=time(0), quiet_until=time(0))
    ann, bo = contact("ann"), contact("bo", time_zone="Asia/Tokyo")
    ages = {ann: (1, 20, 200, 800), bo: (5, 30)}
    for address, hours in ages.items():
        for age in hours:
            at = NOW - timedelta(hours=age)
            sent = message(address, due_at=at, handed_at=at, expires_at=at + timedelta(days=3))
            Message.objects.filter(pk=sent.pk).update(created_at=at)
    last = Message.objects.earliest("pk")
    MessageEvent.objects.create(message=last, kind=MessageEventKind.CLICKED, at=NOW, told_as=SETTLED_CLICK)
    message(ann, state=MessageState.WITHDRAWN)
    daily = PressureForm(
        caps=[CapForm(channel=None, most=1, hours=24)], quiet_from=time(0), quiet_until=time(0), holdout=0.0,
        per_day=None,
    )  # fmt: skip
    told = estimate(daily, now=NOW)
    # of Ann's at 1 h and 20 h the later one falls, which was clicked; Bo's lie 25 h apart
    assert (told.sent, told.would, told.change, told.clicks_kept, told.share) == (5, 4, -1, 0.0, 1.0)
    monkeypatch.setattr(pressure_estimate, "MOST", 2)
    sampled = estimate(daily, now=NOW)
    assert sampled.share < 0.5
    assert Contact.objects.count() == 2
    assert (estimate(DEFAULT, now=NOW).held_back, Verdict.CAPPED.value) == (0, "capped")


@pytest.mark.django_db
def test_whom_limits_kept_back_is_counted_in_what_was_really_decided() -> None:
    """From a plan, from what the brake holds and from what was cancelled nothing leaves, whatever limits say."""
    pressure()
    keys = [contact(name).contact_id for name in ("ann", "bo")]
    for state in OccurrenceState:
        sending = campaign(state.value)
        Occurrence.objects.filter(pk=sending.pk).update(state=state)
        for key in keys:
            Considered.objects.create(
                occurrence=sending,
                customer_id=key,
                key="1",
                verdict=Verdict.CAPPED,
                would_send=False,
                wanted_at=NOW,
                decided_at=NOW,
            )
    decided = {OccurrenceState.DECIDED, OccurrenceState.FINISHED}
    assert estimate(DEFAULT, now=NOW).held_back == len(keys) * len(decided)


@pytest.mark.django_db
def test_messages_that_went_with_their_contacts_are_said_to_be_missing() -> None:
    pressure()
    for name, days in (("new", 1), ("old", 40)):
        Occurrence.objects.filter(pk=campaign(name).pk).update(
            due_at=NOW - timedelta(days=days), counts={"erased_taken": 2}
        )
    assert estimate(DEFAULT, now=NOW).erased == 2
