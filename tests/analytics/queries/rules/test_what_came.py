"""What came of rules, against lists made by hand: which ones count, for how long, and from how many on."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.queries.rules import what_came
from analytics.queries.rules.what_came import of_book, of_rule
from recommendations.models import Audience, AudienceMember, Customer, Item, Rule, RuleBook, Slate, SlateOutcome
from recommendations.services.rules.books import publish_rules, withdraw_rules
from recommendations.services.rules.editing import save_rule
from recommendations.store.events.partitions import prepare_partitions
from tests.analytics import records, rule_records
from tests.analytics.records import NOW

pytestmark = pytest.mark.django_db

TAG = {
    "placement": "home", "slots": 1000, "slots_touched": 180,
    "effects": {"revenue": {"was": 0.2, "value": -0.0026, "low": -0.004, "high": -0.001}},
}  # fmt: skip
_NUMBERS = count()


@pytest.fixture(autouse=True)
def items() -> dict[str, Item]:
    return rule_records.shop()


def published(*rules: Rule, days: float = 0, tags: Sequence[Mapping[str, Any]] = (TAG,)) -> RuleBook:
    """Publish rules so many days after NOW."""
    based_on = RuleBook.objects.filter(is_default=True).values_list("number", flat=True).first()
    keys = [rule.pk for rule in rules]
    return publish_rules(
        rules=keys, based_on=based_on, note="x", by=None, now=NOW + timedelta(days=days),
        expected={"rules": keys, "tags": list(tags)} if tags else None,
    )  # fmt: skip


def shown(
    *what: Item, days: float, clicked: Sequence[int] = (), bought: Mapping[int, str] | None = None,
    book: int = 1, who: Customer | None = None, **more: Any,
) -> None:  # fmt: skip
    """A list that was shown so many days after NOW, and what came of it."""
    at, key = NOW + timedelta(days=days), f"r-{next(_NUMBERS)}"
    prepare_partitions(at, at)
    facts = {"placement": "home", "replay": False, "listed": True} | more
    Slate.objects.create(
        served_at=at - timedelta(seconds=5), recommendation_id=key, placement=facts["placement"], source="model",
        personalised=True, items=[item.pk for item in what], scores=[1.0] * len(what), propensities=[1.0] * len(what),
        rules_version=book, customer=who,
    )  # fmt: skip
    SlateOutcome.objects.create(
        recommendation_id=key, at=at, seen=list(range(1, len(what) + 1)), clicked=list(clicked), carted=[],
        bought=list(bought or {}), revenues=[Decimal(money) for money in (bought or {}).values()],
        purchases=len(bought or {}), **facts,
    )  # fmt: skip


def test_own_items_stand_beside_the_others_of_their_lists(items: dict[str, Item]) -> None:
    tea, bean, instant = items["green"], items["bean"], items["instant"]
    rule = rule_records.rule()
    published(rule)
    shown(tea, bean, days=-0.5, clicked=[2], bought={2: "9.00"}, book=0)
    shown(bean, instant, days=-0.6, bought={1: "1.00"}, book=0)
    shown(tea, bean, instant, days=0.5, clicked=[1], bought={1: "2.50", 3: "9.00"})
    shown(bean, tea, days=1.5, clicked=[])
    shown(tea, days=0.5, clicked=[1], replay=True)  # nobody saw it
    shown(tea, days=0.5, clicked=[1], placement="discover")
    shown(tea, days=0.5, clicked=[1], listed=False)
    shown(tea, days=-3, clicked=[1], book=0)  # longer ago than the rule acted
    came = of_rule(rule, now=NOW + timedelta(days=2))
    assert came is not None
    assert (came.placement, came.predicted, came.term.over) == ("home", TAG, False)
    assert (came.during.lists, came.before.lists) == (2, 2)
    assert (came.during.revenue, came.before.revenue) == (5750.0, 5000.0)
    assert came.change is not None
    assert came.change.value == pytest.approx(0.15)
    assert came.own is not None
    assert (came.own.shown, came.own.clicked.value, came.own.revenue) == (2, 0.5, 2.5)
    assert came.own.others.value == 0.0
    assert not came.enough


def test_nothing_is_said_before_a_day_unless_it_is_over() -> None:
    rule = rule_records.rule()
    assert of_rule(rule, now=NOW) is None
    book = published(rule)
    assert of_rule(rule, now=NOW + timedelta(hours=23)) is None
    assert of_book(book, now=NOW + timedelta(hours=23)) == []
    withdraw_rules(rules=[rule.pk], based_on=1, note="x", by=None, now=NOW + timedelta(hours=3))
    came = of_rule(rule, now=NOW + timedelta(hours=5))
    assert came is not None
    assert (came.term.over, came.term.ends) == (True, NOW + timedelta(hours=3))
    [of_version] = of_book(book, now=NOW + timedelta(hours=5))
    assert (of_version.term.over, of_version.own, of_version.predicted) == (True, None, TAG)


def test_a_term_lasts_over_versions_that_serve_the_rule_as_it_stands() -> None:
    rule, other = rule_records.rule(), rule_records.rule("Other", placement="discover")
    published(rule)
    published(other, days=3, tags=())
    came = of_rule(rule, now=NOW + timedelta(days=5))
    assert came is not None
    assert (came.term.begins, came.term.books, came.predicted) == (NOW, {1, 2}, TAG)
    save_rule(rule=rule, values={"strength": 90}, revision=1, by=None, now=NOW)
    published(rule, days=6, tags=())
    came = of_rule(rule, now=NOW + timedelta(days=8))
    assert came is not None
    assert (came.term.begins, came.term.books, came.predicted) == (NOW + timedelta(days=6), {3}, None)


def test_a_schedule_narrows_the_term() -> None:
    begins, ends = NOW + timedelta(days=2), NOW + timedelta(days=4)
    rule = rule_records.rule(starts_at=begins.isoformat(), ends_at=ends.isoformat())
    published(rule)
    assert of_rule(rule, now=NOW + timedelta(days=1.5)) is None
    came = of_rule(rule, now=NOW + timedelta(days=9))
    assert came is not None
    assert (came.term.begins, came.term.ends, came.term.over) == (begins, ends, True)


def test_lists_of_others_do_not_count_for_a_rule_of_an_audience(items: dict[str, Item]) -> None:
    ann, bob = records.customer("ann"), records.customer("bob")
    audience = Audience.objects.create(name="Ann's", conditions={}, position=1)
    AudienceMember.objects.create(audience=audience, customer=ann)
    rule = rule_records.rule(audience=audience.pk)
    published(rule)
    for who in (ann, bob, None):
        shown(items["green"], days=0.5, who=who)
    came = of_rule(rule, now=NOW + timedelta(days=2))
    assert came is not None
    assert came.during.lists == 1


def test_what_is_excluded_has_no_figures_of_its_own(items: dict[str, Item]) -> None:
    rule = rule_records.rule(action="exclude")
    published(rule)
    shown(items["bean"], days=0.5, clicked=[1])
    came = of_rule(rule, now=NOW + timedelta(days=2))
    assert came is not None
    assert came.own is None
    assert came.during.clicked.value == 1.0


def test_the_pages_say_it_in_words(admin: Client, items: dict[str, Item], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=lambda: NOW + timedelta(days=2))
    monkeypatch.setattr("analytics.pages.rules.what_came.timezone", clock)
    rule = rule_records.rule()
    published(rule)
    for number in range(3):
        shown(items["green"], items["bean"], days=-0.5, bought={1: "4.00"}, book=0)
        shown(items["green"], items["bean"], days=0.5 + number / 10, clicked=[1], bought={1: "5.00"})
    page = " ".join(admin.get(f"/rules/{rule.pk}/what-came/").content.decode().split())
    assert "Revenue −1.3% [−2.0%, −0.50%], 18.0% of slots" in page
    assert "Too little data yet: the shop reported 3 of 200 lists shown since then" in page
    assert "It is not a hold-out" in page
    assert "too little data yet: 3 of 200 lists shown" in admin.get("/rules/versions/1/what-came/").content.decode()
    monkeypatch.setattr(what_came, "FEWEST", 3)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = " ".join(admin.get(f"/rules/{rule.pk}/what-came/").content.decode().split())
    assert len(queries) <= 12
    assert '<dd class="tile-value">3</dd><dd class="note">times in 3 lists</dd>' in page
    assert "$15.00" in page
    assert "▲ +25.0% [+25.0%, +25.0%]" in page
    assert "revenue of 1,000 lists $5,000" in admin.get("/rules/versions/1/what-came/").content.decode()
    assert f'hx-get="/rules/{rule.pk}/what-came/"' in admin.get(f"/rules/{rule.pk}/").content.decode()
    assert 'hx-get="/rules/versions/1/what-came/"' in admin.get("/rules/versions/").content.decode()


def test_what_was_never_served_or_is_unknown(admin: Client) -> None:
    rule = rule_records.rule()
    assert admin.get(f"/rules/{rule.pk}/what-came/").content.decode().strip() == ""
    for address in ("/rules/99/what-came/", "/rules/versions/99/what-came/"):
        assert admin.get(address).status_code == 404
