"""A page: its slots share items out, in the order of the page, and none stands in two."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations.event_types import EventName
from recommendations.models import Customer, Item, PageSlot, Placement, ShopPage, Slate
from recommendations.serving.page import UnknownPageError, UnknownSlotError, prepare_page, share_out
from recommendations.serving.serve import serve, serve_page
from recommendations.serving.types import Answer, PageRequest, Request, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import LiveEvent
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import RuleAction
from tests.serving.test_rules import of, rule
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

HOME = ("home", "buy_again", "discover", "trending", "new")


def customer(name: str = "u0") -> int:
    return Customer.objects.get(pseudonym=pseudonym(name)).pk


def share(
    *slots: tuple[str, int], snapshot: Snapshot | None = None, user: str = "u0", context: Sequence[int] = ()
) -> list[Answer]:
    snapshot = snapshot or current_snapshot()
    key = customer(user)
    state = fetch.state_of(key, since=snapshot.model.as_of if snapshot.model else None).state
    requests = [
        ResolvedRequest(placement=name, customer=key, n=n, context_items=tuple(context), explore=False)
        for name, n in slots
    ]
    return share_out(prepare_page(requests, snapshots=[snapshot] * len(requests), state=state, now=NOW))


def items(answer: Answer) -> list[int]:
    return [shown.item for shown in answer.shown]


def alone(placement: str, n: int, user: str = "u0") -> list[int]:
    return items(serve(Request(placement=placement, user_id=user, n=n, dry_run=True), now=NOW))


def bought(user: str) -> set[int]:
    """All that the customer may be shown again."""
    return set(alone("buy_again", 100, user))


@pytest.mark.parametrize("user", ["u0", "u1", "u5", "u11"])
def test_no_item_stands_in_two_slots_and_none_is_short(user: str) -> None:
    answers = share(("home", 8), ("buy_again", 4), ("discover", 4), ("trending", 4), ("new", 4), user=user)
    every = [item for answer in answers for item in items(answer)]
    assert len(every) == len(set(every)) == 24
    assert set(items(answers[1])) <= bought(user)
    assert not set(items(answers[2])) & bought(user)


def test_the_first_slot_is_what_it_is_alone_and_the_next_ones_follow_with_their_own() -> None:
    home, discover = share(("home", 5), ("discover", 5))
    assert items(home) == alone("home", 5)
    rest = [item for item in alone("discover", 20) if item not in items(home)]
    assert items(discover) == rest[:5]
    assert [shown.rank for shown in discover.shown] == [1, 2, 3, 4, 5]


def test_a_slot_that_has_little_keeps_it_and_the_others_do_without() -> None:
    own = bought("u0")
    n = len(own) - 2
    home, again = share(("home", 2 * len(own)), ("buy_again", n))
    assert len(again.shown) == n
    assert set(items(again)) <= own
    kept = [item for item in items(home) if item in own]
    assert kept == [item for item in alone("home", 2 * len(own)) if item in own][:2]  # its best two of them


def test_a_slot_is_not_left_short_for_those_below() -> None:
    own = len(bought("u0"))
    first, again = share(("buy_again", own), ("home", 10))
    assert len(first.shown) == own
    assert len(again.shown) == 10
    assert not set(items(first)) & set(items(again))


def test_a_pinned_item_stands_where_it_is_pinned_and_nowhere_else() -> None:
    snapshot = current_snapshot()
    best = alone("home", 1)[0]
    this = of("item", Item.objects.get(pk=best).shop_id)
    pin = rule(1, RuleAction.PIN, this, slot=2, placement="trending")
    home, trending = share(("home", 5), ("trending", 5), snapshot=snapshot.with_rules([pin]))
    assert best not in items(home)
    assert items(trending)[1] == best
    twice = [pin, rule(2, RuleAction.PIN, this, slot=1, placement="home")]
    home, trending = share(("home", 5), ("trending", 5), snapshot=snapshot.with_rules(twice))
    assert items(home)[0] == best
    assert best not in items(trending)
    assert len(trending.shown) == 5


def test_rules_of_a_placement_hold_on_a_page() -> None:
    out = alone("trending", 3)
    shop_ids = list(Item.objects.filter(pk__in=out).values_list("shop_id", flat=True))
    without = rule(1, RuleAction.EXCLUDE, of("item", *shop_ids), placement="trending")
    _, trending = share(("new", 1), ("trending", 10), snapshot=current_snapshot().with_rules([without]))
    assert not set(out) & set(items(trending))


def served(*, name: str = "home", **more: Any) -> list[Answer]:
    answers: list[Answer] = []

    def write(answer: Answer) -> bytes:
        answers.append(answer)
        return b"}"

    counts = more.pop("counts", ())
    serve_page(
        PageRequest(name=name, shared=Request(placement="", user_id="u0", **more), counts=counts), write=write, now=NOW
    )
    return answers


def test_a_page_has_the_placements_that_the_record_says_in_its_order() -> None:
    assert [answer.placement for answer in served()] == list(HOME)
    assert [len(answer.shown) for answer in served(counts=(("home", 3), ("new", 0)))] == [3, 6, 6, 6]
    Placement.objects.filter(name="buy_again").update(enabled=False)
    PageSlot.objects.filter(page__name="home", placement__name="discover").update(position=9)
    fetch.announce(Changed.PLACEMENTS)
    assert [answer.placement for answer in served()] == ["home", "trending", "new", "discover"]
    with pytest.raises(UnknownPageError):
        served(name="nowhere")
    with pytest.raises(UnknownSlotError):
        served(counts=(("cart", 3),))
    ShopPage.objects.create(name="bare")
    fetch.announce(Changed.PLACEMENTS)
    assert served(name="bare") == []


def test_each_slot_is_a_slate_of_its_own() -> None:
    served(dry_run=True)
    assert write_slates() == 0
    answers = served()
    assert write_slates() == 5
    rows = {row.placement: row for row in Slate.objects.in_bulk([row.pk for row in Slate.objects.all()]).values()}
    assert set(rows) == set(HOME)
    assert len({row.recommendation_id for row in rows.values()}) == 5
    for answer in answers:
        assert list(rows[answer.placement].items) == items(answer)
        assert rows[answer.placement].customer_id == customer()


def test_a_page_is_cached_whole_and_an_act_of_the_customer_makes_it_anew() -> None:
    writes.rebuild()
    answers: list[Answer] = []

    def write(answer: Answer) -> bytes:
        answers.append(answer)
        return answer.placement.encode()

    page = PageRequest(name="home", shared=Request(placement="", user_id="u0"))
    first = serve_page(page, write=write, now=NOW)
    again = serve_page(page, write=write, now=NOW)
    assert [one.content for one in first] == [one.content for one in again] == [name.encode() for name in HOME]
    assert not {one.recommendation_id for one in first} & {one.recommendation_id for one in again}
    assert len(answers) == 5
    act = LiveEvent(customer=customer(), name=EventName.PURCHASE, item=answers[2].shown[0].item, at=NOW)
    writes.remember([act])
    serve_page(page, write=write, now=NOW)
    assert len(answers) == 10
    assert act.item not in items(answers[7])


def test_the_customer_is_read_once_however_many_slots_there_are(valkey: Any) -> None:
    writes.rebuild()
    served()  # the snapshot is there

    def trips(ask: Any) -> int:
        before = valkey.info("commandstats").get("cmdstat_eval_ro", {}).get("calls", 0)
        ask()
        return int(valkey.info("commandstats")["cmdstat_eval_ro"]["calls"]) - int(before)

    with CaptureQueriesContext(connection) as queries:
        page = trips(lambda: served(explain=False))
    single = trips(lambda: serve(Request(placement="home", user_id="u0"), now=NOW))
    assert page == single
    assert not queries.captured_queries


def test_what_the_pages_of_the_shop_begin_with_is_known() -> None:
    names = {page.name: [slot.placement.name for slot in page.slots.all()] for page in ShopPage.objects.all()}
    assert names == {
        "home": list(HOME), "item": ["also_bought", "item"], "cart": ["cart"], "category": ["category"],
        "search": ["search"], "thanks": ["discover"],
    }  # fmt: skip
