"""Cached answers are given again, and never when anything that they were made of has changed."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import BlendWeights, Customer, Item, Placement, RuleBook, Slate
from recommendations.services.catalogue import editing
from recommendations.serving import answer_cache
from recommendations.serving import page as page_serving
from recommendations.serving import serve as serving
from recommendations.serving.page import prepare_page, share_out
from recommendations.serving.pipeline import TICK, Prepared, prepare
from recommendations.serving.serve import Served, serve, serve_page, serve_written
from recommendations.serving.types import Answer, Filter, PageRequest, Request, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import LiveEvent
from recommendations.store.live.valkey import valkey
from recommendations.store.live.writes import Objection
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import current_snapshot, snapshot_holder
from recommendations.terms import Availability
from tests.live_state import rebuild_live_state
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

HOME = Request(placement="home", user_id="u0")
USERS = ("u0", "u1", "u2", "u3")
written = count()


@pytest.fixture(autouse=True)
def _live_state_is_whole(_empty_valkey: None) -> None:
    rebuild_live_state()


def write(answer: Answer) -> bytes:
    """Serialise the whole answer, so that no difference is overlooked; and never twice the same."""
    bare = replace(answer, recommendation_id="")
    return json.dumps([next(written), repr(bare)]).encode()


def said(served: Served) -> str:
    return str(json.loads(served.content)[1])


def ask(request: Request = HOME, **more: Any) -> Served:
    return serve_written(request, write=write, now=more.pop("now", NOW))


def fresh(request: Request = HOME, **more: Any) -> str:
    return repr(replace(serve(request, now=more.pop("now", NOW)), recommendation_id=""))


def key_of(user: str) -> int:
    return Customer.objects.get(pseudonym=pseudonym(user)).pk


def acts(name: EventName, item: str) -> Callable[[], None]:
    def act() -> None:
        event = LiveEvent(customer=key_of("u0"), name=name, item=Item.objects.get(shop_id=item).pk, at=NOW)
        writes.remember([event])

    return act


def sell_out() -> None:
    item = serve(HOME, now=NOW).shown[0].item
    editing.set_availability(items=[item], availability=Availability.OUT_OF_STOCK, by=None, now=timezone.now())
    fetch.announce(Changed.CATALOGUE)


def pin() -> None:
    condition = {"attribute": "item", "operator": "is", "values": ["soap-3"]}
    asks_nothing = dict.fromkeys(("placement", "segment", "customer", "starts_at", "ends_at", "strength", "most"))
    rule = {
        **asks_nothing, "id": 1, "name": "Soap", "context": [], "items": [condition], "action": "pin", "slot": 1,
        "per": "", "share": None,
    }  # fmt: skip
    RuleBook.objects.create(number=1, is_default=True, rules=[rule])
    fetch.announce(Changed.RULES)


def weigh() -> None:
    BlendWeights.objects.defaults().filter(blend__name="home").update(weights={"als": 1.0})
    fetch.announce(Changed.WEIGHTS)


def shorten() -> None:
    Placement.objects.filter(name="home").update(n=3)
    fetch.announce(Changed.PLACEMENTS)


def object_() -> None:
    writes.remember([Objection(key_of("u0"), objected=True)])


def test_a_repeated_request_gets_the_cached_answer() -> None:
    first, second = ask(), ask()
    assert first.content == second.content
    assert first.recommendation_id != second.recommendation_id
    assert said(first) == fresh()


def test_answers_are_made_one_at_a_time() -> None:
    """Four threads ask; what each makes is made while no other makes one."""
    current_snapshot()
    at_once, most = count(), []
    making: list[int] = []

    def slow(answer: Answer) -> bytes:
        making.append(next(at_once))
        most.append(len(making))
        time.sleep(0.02)
        making.pop()
        return write(answer)

    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda user: serve_written(replace(HOME, user_id=user), write=slow, now=NOW), USERS)
        assert len({said(one) for one in answers}) == len(USERS)
    assert most == [1] * len(USERS)


def test_an_answer_that_asks_postgresql_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    red = replace(HOME, filter=Filter(attributes=(("colour", ("red",)),)))
    first = ask()
    monkeypatch.setattr(serving, "_TURN", _Held())
    assert ask().content == first.content  # it was kept
    with pytest.raises(TimeoutError):
        ask(replace(HOME, user_id="u1"))
    assert ask(red).content
    valkey().run(lambda pipeline: pipeline.flushdb())
    assert ask(replace(HOME, user_id="u1")).content


class _Held:
    """A turn that never comes."""

    def __enter__(self) -> None:
        raise TimeoutError

    def __exit__(self, *_: object) -> None: ...


def test_a_cached_answer_is_noted_for_every_request() -> None:
    ids = {ask().recommendation_id for _ in range(3)}
    ask(replace(HOME, dry_run=True))
    assert write_slates() == 3
    slates = list(Slate.objects.all())
    assert {slate.recommendation_id for slate in slates} == ids
    assert {slate.served_at for slate in slates} == {NOW}
    assert {tuple(slate.items) for slate in slates} == {tuple(shown.item for shown in serve(HOME, now=NOW).shown)}
    assert all(slate.customer_id == key_of("u0") and slate.latency_us for slate in slates)


@pytest.mark.parametrize(
    "change",
    [
        acts(EventName.PURCHASE, "tea-0"),
        acts(EventName.DISLIKE_ITEM, "tea-1"),
        acts(EventName.REFUND, "bread-0"),
        sell_out, pin, weigh, shorten, object_,
    ],
    ids=["purchase", "dislike", "refund", "sold out", "rule", "weights", "placement", "objection"],
)  # fmt: skip
def test_a_change_outdates_the_cached_answer(change: Callable[[], None]) -> None:
    before = ask()
    change()
    after = ask()
    assert after.content != before.content
    assert said(after) == fresh()


@pytest.mark.parametrize(
    "other",
    [
        replace(HOME, user_id="u1"), replace(HOME, n=5), replace(HOME, personalise=False),
        replace(HOME, exclude_item_ids=("tea-0",)), replace(HOME, placement="discover"), replace(HOME, diversity=0.9),
    ],
    ids=["customer", "n", "not personalised", "excluded", "placement", "diversity"],
)  # fmt: skip
def test_a_different_request_is_cached_apart(other: Request) -> None:
    ask()
    assert said(ask(other)) == fresh(other)


def test_whoever_is_not_known_gets_the_answer_of_all_strangers_and_is_noted_apart() -> None:
    asked = [replace(HOME, user_id=None, anonymous_id="x"), replace(HOME, user_id="new"), replace(HOME, user_id=None)]
    assert len({ask(one).content for one in asked}) == 1
    assert said(ask(asked[0])) == fresh(asked[0])
    assert ask().content != ask(asked[0]).content
    write_slates()
    slates = Slate.objects.filter(customer=None)
    assert len({slate.unit for slate in slates}) == 3
    assert slates.filter(unit=None).count() == 1


def test_a_cached_answer_expires_with_the_tick() -> None:
    start = NOW.replace(minute=0, second=0)
    first = ask(now=start)
    assert ask(now=start + timedelta(seconds=TICK - 1)).content == first.content
    later = start + timedelta(seconds=TICK)
    assert ask(now=later).content != first.content
    assert said(ask(now=later)) == fresh(now=later)


def test_a_cached_answer_outlives_a_mark_without_a_change() -> None:
    first = ask()
    snapshot = snapshot_holder().snapshot
    fetch.announce(Changed.WEIGHTS)  # somebody says so, but nothing differs
    assert ask().content == first.content
    assert snapshot_holder().snapshot is snapshot


def test_an_answer_on_a_live_state_of_postgresql_is_not_cached() -> None:
    valkey().run(lambda pipeline: pipeline.delete("live:built"))
    assert ask().content != ask().content


def test_exploration_draws_anew_for_every_answer() -> None:
    BlendWeights.objects.defaults().filter(blend__name="home").update(cards=0.5)
    fetch.announce(Changed.WEIGHTS)
    for _ in range(61):
        ask()
    assert write_slates() == 61
    slates = Slate.objects.all()
    changed = [slate for slate in slates if min(slate.propensities) < 0.5]
    assert 25 <= len(changed) <= 60  # three of four draw something for one of two slots, on average
    by_list: dict[tuple[int, ...], set[tuple[float, ...]]] = {}
    for slate in slates:
        by_list.setdefault(tuple(slate.items), set()).add(tuple(slate.propensities))
    assert all(len(propensities) == 1 for propensities in by_list.values())
    assert len(by_list) > 10


@pytest.fixture
def prepared_times(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A name for each time that an answer was prepared."""
    times: list[str] = []

    def prepare_and_say(request: ResolvedRequest, **more: Any) -> Prepared:
        times.append(request.placement)
        return prepare(request, **more)

    monkeypatch.setattr(serving, "prepare", prepare_and_say)
    monkeypatch.setattr(page_serving, "prepare", prepare_and_say)
    return times


def explore() -> None:
    BlendWeights.objects.defaults().update(cards=0.4, exploration=0.3)
    fetch.announce(Changed.WEIGHTS)


def anew(*ids: str) -> list[str]:
    """What is to be said under these ids, one of an answer or those of the home page, with nothing cached."""
    customer, snapshot = key_of("u0"), current_snapshot()
    state = fetch.state_of(customer, since=snapshot.model.as_of if snapshot.model else None).state
    slots = [("home", None)] if len(ids) == 1 else [(slot.placement, slot.n) for slot in snapshot.pages["home"]]
    requests = [
        ResolvedRequest(placement=name, customer=customer, recommendation_id=own, n=n)
        for own, (name, n) in zip(ids, slots, strict=True)
    ]
    answers = share_out(prepare_page(requests, snapshots=[snapshot] * len(ids), state=state, now=NOW))
    return [repr(replace(answer, recommendation_id="")) for answer in answers]


def test_an_answer_that_explores_is_that_of_its_id_and_prepared_once(prepared_times: list[str]) -> None:
    explore()
    answers = [ask() for _ in range(40)]
    assert len(prepared_times) == 1
    assert [said(one) for one in answers] == [anew(one.recommendation_id)[0] for one in answers]
    assert len({said(one) for one in answers}) > 10
    ranked = [one.content for one in answers if "Way.AS_RANKED" in said(one)]
    assert len(ranked) > len(set(ranked)) == 1  # written once


def test_a_page_that_explores_is_that_of_its_ids_and_prepared_once(prepared_times: list[str]) -> None:
    explore()
    page = PageRequest(name="home", shared=replace(HOME, placement=""))
    pages = [serve_page(page, write=write, now=NOW) for _ in range(12)]
    assert len(prepared_times) == len(pages[0]) == 5
    for slots in pages:
        assert [said(one) for one in slots] == anew(*(one.recommendation_id for one in slots))
    assert len({said(slots[1]) for slots in pages}) > 3


def test_the_cache_holds_a_bounded_number_of_answers() -> None:
    cache = answer_cache.AnswerCache(most=4)
    for number in range(20):
        request = replace(HOME, user_id=f"x{number}", n=number + 1)
        ask(request)
    for key, answer in list(answer_cache.answer_cache()._kept.items()):
        cache.put(key, answer)
        assert len(cache._kept) <= 4
    assert len(cache._kept) >= 2
