"""Facts of who answers, by hand, and campaigns that are over as lessons: nothing from the campaign itself or later."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from recommendations.engine.push.response import FEATURES, LOGGED
from recommendations.event_types import EventName
from recommendations.models import AttributedLine, Campaign, Customer, Event, ImportedReceipt
from recommendations.push_terms import CampaignKind, Purpose
from recommendations.store.push import response_lessons as lessons_module
from recommendations.store.push.response_facts import columns_of
from recommendations.store.push.response_lessons import IMPORTED, OWN, response_lessons
from tests.push_acts import NOW, act, person, product, visitor
from tests.push_records import contact
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db
DAY = 24.0  # hours


def bought(who: int, item: int, *, days: float, **fields: Any) -> None:
    act(EventName.PURCHASE, who, item, hours=days * DAY, **fields)


def facts(*people: int, **fields: Any) -> list[dict[str, float]]:
    columns = columns_of(people, at=NOW, **fields)
    raw = np.where(LOGGED, np.expm1(columns), columns)
    return [dict(zip(FEATURES, np.round(row, 6).tolist(), strict=True)) for row in raw]


def imported(name: str, *, starts: float, ends: float, items: list[int], kind: str = "TypeB", **answers: int) -> None:
    """A campaign of so many days ago, with the answers of who got it."""
    draft = {
        "description": kind, "items": items, "starts": (NOW - timedelta(days=starts)).isoformat(),
        "ends": (NOW - timedelta(days=ends)).isoformat(),
    }  # fmt: skip
    made = Campaign.objects.create(slug=name, name=name, kind=CampaignKind.IMPORTED, purpose=Purpose.NEWS, draft=draft)
    for who, number in answers.items():
        ImportedReceipt.objects.create(
            campaign=made, customer_id=person(who), received_at=NOW - timedelta(days=starts), answers=number,
            answered_at=NOW - timedelta(days=starts - 2) if number else None,
        )  # fmt: skip


def test_a_customer_by_hand() -> None:
    ann, tea, soap = person("ann"), product("tea"), product("soap")
    browser = visitor("browser", of=ann)
    bought(ann, tea, days=10, amount=Decimal(3), attributes={"coupon_discount": -1})
    bought(browser, soap, days=10.1, amount=Decimal(4))
    bought(ann, tea, days=50, amount=Decimal(5))
    bought(ann, tea, days=85, amount=Decimal(100))  # too long ago
    bought(ann, tea, days=-1, amount=Decimal(100))  # later
    act(EventName.VIEW_ITEM, ann, tea, hours=1)
    imported("coupons", starts=40, ends=20, items=[tea], ann=2)
    imported("c2", starts=30, ends=10, items=[tea], ann=0)
    imported("c3", starts=1, ends=-10, items=[tea], ann=1)  # answered a day later
    [own] = facts(ann, items=[tea], size=700, broad=True)
    assert own == {
        "trips": 2, "spend": 12, "own_lines": 2, "since_trip": 10, "answer_rate": round(1.1 / 4, 6),
        "coupon_lines": 1, "size": 700, "broad": 1, "chosen": 0,
    }  # fmt: skip


def test_who_never_bought_and_never_got_anything() -> None:
    [own] = facts(person("ann"))
    assert own == {
        "trips": 0, "spend": 0, "own_lines": 0, "since_trip": 84, "answer_rate": 0.1, "coupon_lines": 0, "size": 0,
        "broad": 0, "chosen": 0,
    }  # fmt: skip


def test_the_lines_are_of_the_items_that_each_would_be_shown() -> None:
    ann, bo, tea, soap = person("ann"), person("bo"), product("tea"), product("soap")
    for who in (ann, bo):
        bought(who, tea, days=3)
        bought(who, tea, days=4)
    own = facts(ann, bo, own_items={ann: [tea, soap], bo: [soap]})
    assert [(each["own_lines"], each["size"]) for each in own] == [(2, 2), (0, 1)]


def line_of(recommendation: str, item: int, *, days: float) -> None:
    at = NOW - timedelta(days=days)
    event = Event.objects.get(occurred_at=at, name=EventName.PURCHASE)
    AttributedLine.objects.create(
        occurred_at=at, event_id=event.event_id, line=0, name=EventName.PURCHASE, item_id=item, amount=Decimal(1),
        recommendation_id=recommendation, placement="email", position=1, touch="event", replay=False,
    )  # fmt: skip


def test_own_messages_are_answered_by_what_counts_for_their_list() -> None:
    ann, tea = contact("ann"), product("tea")
    for number in (1, 2):
        message(ann, recommendation_id=f"r{number}", handed_at=NOW - timedelta(days=5), key=str(number))
    bought(ann.contact_id, tea, days=4)
    line_of("r1", tea, days=4)
    [own] = facts(ann.contact_id)
    assert own["answer_rate"] == round(1.1 / 3, 6)


class TestLessons:
    def test_campaigns_of_another_system_that_are_over(self) -> None:
        tea = product("tea")
        bought(person("ann"), tea, days=45)
        bought(person("ann"), tea, days=35)  # after it began: no fact of the first
        imported("late", starts=30, ends=10, items=[tea], kind="TypeA", ann=1, bo=0)
        imported("early", starts=40, ends=20, items=[tea], ann=2, bo=0, cy=0)
        imported("goes on", starts=5, ends=-5, items=[tea], ann=1)
        imported("of nobody", starts=50, ends=45, items=[tea])
        lessons = response_lessons(now=NOW)
        assert (lessons.source, lessons.campaigns, lessons.answers) == (IMPORTED, 2, 2)
        own = lessons.receipts
        assert own.campaign.tolist() == [0, 0, 0, 1, 1]
        assert own.answered.sum() == 2
        assert own.starts[0] == own.starts[1] - 10
        [early, late] = [own.where(own.campaign == number) for number in (0, 1)]
        ann = int(np.flatnonzero(early.answered)[0])
        assert early.column("own_lines")[ann] == pytest.approx(np.log1p(1))
        assert late.column("own_lines").max() == pytest.approx(np.log1p(2))
        assert (early.column("chosen").max(), late.column("broad").max()) == (1, 1)

    def test_ours_alone_teach_once_they_are_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lessons_module, "LEAST_CAMPAIGNS", 2)
        monkeypatch.setattr(lessons_module, "LEAST_ANSWERS", 1)
        tea = product("tea")
        imported("coupons", starts=40, ends=20, items=[tea], ann=2)
        people = [contact("bo"), contact("cy")]
        sent = [message(each, recommendation_id=f"r{number}", items=[tea]) for number, each in enumerate(people)]
        bought(people[0].contact_id, tea, days=4)
        line_of("r0", tea, days=4)
        assert response_lessons(now=NOW).source == IMPORTED
        Campaign.objects.filter(pk__in=[each.campaign_id for each in sent]).update(ended_at=NOW - timedelta(days=8))
        lessons = response_lessons(now=NOW)
        assert (lessons.source, lessons.campaigns, lessons.answers) == (OWN, 2, 1)
        assert sorted(lessons.receipts.answered.tolist()) == [False, True]
        Campaign.objects.filter(pk=sent[0].campaign_id).update(ended_at=NOW - timedelta(days=6))  # not known yet
        assert response_lessons(now=NOW).source == IMPORTED

    def test_nothing_is_no_lesson(self) -> None:
        assert Customer.objects.count() == 0
        assert len(response_lessons(now=NOW).receipts) == 0
