"""Boosts of one request: what a rule of the book would do, for one answer, with a name and a line of their own."""

from decimal import Decimal

import msgspec
import pytest
from django.utils import timezone

from analytics.pages.customer.why import _line
from recommendations.models import BlendWeights, Item
from recommendations.services.review.waterfall import waterfall
from recommendations.serving import serve as serving
from recommendations.serving.answer_record import RequestRecord
from recommendations.serving.past.again import Reconstruction, Sameness, again
from recommendations.serving.serve import serve, serve_written
from recommendations.serving.types import Answer, AskedBoost, Filter, Request
from recommendations.store.live import fetch
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import RuleAction
from tests.live_state import rebuild_live_state
from tests.serving.test_again import one
from tests.serving.test_rules import of, publish, rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

WINE = AskedBoost(filter=Filter(categories=("FOOD > WINE",)), strength=80, name="Wine week")
GIFTS = AskedBoost(filter=Filter(tags=("gift",)), strength=-60)


@pytest.fixture(autouse=True)
def _gifts(_empty_valkey: None) -> None:
    BlendWeights.objects.filter(is_default=True).update(exploration=0, cards=0)
    Item.objects.filter(shop_id__in=["bread-0", "bread-1"]).update(tags=["gift"], updated_at=timezone.now())
    fetch.announce(*fetch.Changed)
    rebuild_live_state()


def ask(*boosts: AskedBoost, n: int = 30, **more: object) -> Answer:
    return serve(Request(placement="home", user_id="u0", n=n, boosts=boosts, **more), now=timezone.now())  # type: ignore[arg-type]


def finals(answer: Answer) -> dict[str, float]:
    return {shown.product.shop_id: shown.final for shown in answer.shown}


def test_a_boost_does_what_a_rule_of_its_strength_does() -> None:
    asked = ask(WINE, GIFTS)
    publish(
        rule(1, RuleAction.BOOST, of("category", "FOOD > WINE"), strength=80),
        rule(2, RuleAction.BOOST, of("tag", "gift"), strength=-60),
    )
    by_rule = ask()
    assert list(finals(asked)) == list(finals(by_rule))
    assert finals(asked) == finals(by_rule)
    assert [dict(shown.boosts) for shown in asked.shown] == [
        {-key: value for key, value in shown.boosts.items()} for shown in by_rule.shown
    ]
    assert finals(asked) != finals(ask(GIFTS))  # they add up with those of the book


def test_its_name_stands_at_the_items_and_in_the_waterfall() -> None:
    answer = ask(WINE, GIFTS)
    assert answer.rule_names == {-1: "Wine week", -2: "boost 2"}
    bread = next(shown for shown in answer.shown if shown.product.shop_id == "bread-0")
    assert bread.rules == (-2,)
    terms = waterfall(bread, rules=answer.rule_names)
    assert sum(term.value or 0 for term in terms) == pytest.approx(bread.final)
    assert _line(terms[-1]).words == "Asked for by the shop: boost 2"
    assert _line(terms[-1]).value == bread.boosts[-2] < 0


def test_a_kept_answer_stays_kept_also_beside_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Answer] = []

    def write(answer: Answer) -> bytes:
        made.append(answer)
        return b"{}"

    publish(rule(1, RuleAction.BOOST, of("brand", "Brand 1"), strength=50))
    request = Request(placement="home", user_id="u0", boosts=(WINE, GIFTS))
    current_snapshot()
    now = timezone.now()
    for _ in range(3):
        serve_written(request, write=write, now=now)
    assert len(made) == 1
    serve_written(Request(placement="home", user_id="u0", boosts=(GIFTS, WINE)), write=write, now=now)
    assert len(made) == 2
    assert serving.looks_up(Request(placement="home", boosts=(AskedBoost(filter=Filter(tags=("x",)), strength=1),)))


def test_a_past_answer_is_made_again_with_its_boosts() -> None:
    BlendWeights.objects.filter(is_default=True).update(exploration=0.4, cards=0.5, diversity=0.2)
    fetch.announce(*fetch.Changed)
    wanted = Filter(price_to=Decimal(9), not_brands=("Brand 2",), not_tags=("none",), attributes=(("a", ("b", "c")),))
    slate = one(boosts=(WINE, GIFTS, AskedBoost(filter=wanted, strength=5)))
    plain = one()
    assert slate.items != plain.items
    result = again(Reconstruction.of(slate, live=current_snapshot(), now=timezone.now()))
    assert (result.sameness, list(result.missing), list(result.differences)) == (Sameness.EXACT, [], [])


def test_the_stored_requests_of_before_are_read() -> None:
    before = (
        b'{"request":{"placement":"home","user_id":null,"anonymous_id":null,"item_ids":[],"basket":[],'
        b'"exclude_item_ids":[],"categories":[],"search_term":"","n":9,"personalise":true,"fill":true,"explain":true,'
        b'"filter":{"price_from":null,"price_to":"8","brands":null,"categories":null,"in_stock":true},'
        b'"diversity":null,"dry_run":false,"experiment":null}}'
    )
    record = msgspec.json.decode(before, type=RequestRecord)
    assert record.request == Request(placement="home", n=9, filter=Filter(price_to=Decimal(8), in_stock=True))
    now = RequestRecord(request=Request(placement="home", boosts=(WINE, GIFTS), cursor="AQ"))
    assert msgspec.json.decode(msgspec.json.encode(now), type=RequestRecord) == now
