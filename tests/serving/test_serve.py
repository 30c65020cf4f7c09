"""From the shop's request to the slate in the record, on real servers: what changes acts on the next answer."""

import time
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import DatabaseError
from django.utils import timezone

from recommendations.engine.frames import TrainingSet
from recommendations.event_types import EventName
from recommendations.models import BlendWeights, Customer, CustomerAlias, Event, Item, ModelVersion, Placement, Slate
from recommendations.services.catalogue import editing
from recommendations.serving.serve import NotLoadedError, serve
from recommendations.serving.types import Answer, Request
from recommendations.store.events import id_cache
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.fetch import Changed
from recommendations.store.live.state import LiveEvent
from recommendations.store.serving import slates, snapshot_holder
from recommendations.store.serving.slates import ServedSlate, write_slates
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.store.valkey_keys import SLATES
from recommendations.terms import Availability, CustomerKind, Cut, Fallback, Source
from tests.review import review
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def ask(placement: str = "home", user: str | None = "u0", **more: Any) -> Answer:
    return serve(Request(placement=placement, user_id=user, **more), now=NOW)


def items(answer: Answer) -> list[int]:
    return [shown.item for shown in answer.shown]


def test_twenty_shown_items_set_out_of_stock_vanish_from_the_next_answer(
    django_capture_on_commit_callbacks: Any,
) -> None:
    for placement in ("home", "discover", "trending"):
        shown = items(ask(placement))
        assert len(shown) == 20
        with django_capture_on_commit_callbacks(execute=True):
            editing.set_availability(items=shown, availability=Availability.OUT_OF_STOCK, by=None, now=timezone.now())
        assert not set(shown) & set(items(ask(placement, n=100)))
        with django_capture_on_commit_callbacks(execute=True):
            editing.set_availability(items=shown, availability=Availability.IN_STOCK, by=None, now=timezone.now())
        assert items(ask(placement)) == shown


def test_answers_go_through_the_acts_of_nobody_but_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_training: TrainingSet) -> None:
        raise AssertionError("a web process would need the acts of everybody in its memory")

    monkeypatch.setattr(TrainingSet, "teaching", property(refuse))
    snapshot_holder.snapshot_holder.drop()
    for placement in ("home", "discover", "trending", "item", "cart"):
        asked = {"item_ids": ("bread-1",)} if placement == "item" else {}
        answer = ask(placement, explain=True, **asked)
        assert [shown.reasons for shown in answer.shown if shown.reasons]


def test_a_changed_price_stands_in_the_next_answer(django_capture_on_commit_callbacks: Any) -> None:
    first = ask().shown[0]
    with django_capture_on_commit_callbacks(execute=True):
        editing.update_item(
            item=Item.objects.get(pk=first.item), changes={"price": "77.00"}, by=None, now=timezone.now()
        )
    assert str(ask().shown[0].product.price) == "77.00"


def test_a_purchase_acts_on_the_next_answer() -> None:
    before = ask("discover")
    writes.remember(
        [
            LiveEvent(
                customer=Customer.objects.get(pseudonym=pseudonym("u0")).pk,
                name=EventName.PURCHASE,
                item=before.shown[0].item,
                at=NOW,
            )
        ]
    )
    after = items(ask("discover"))
    assert before.shown[0].item not in after
    assert after[0] == before.shown[1].item


def views_tea(customer: int) -> None:
    tea = Item.objects.get(shop_id="tea-0")
    writes.remember([LiveEvent(customer=customer, name=EventName.VIEW_ITEM, item=tea.pk, at=NOW)])


def test_a_customer_newer_than_the_snapshot_is_found_without_a_query(
    valkey: redis.Redis, django_capture_on_commit_callbacks: Any, django_assert_num_queries: Any
) -> None:
    valkey.set(fetch.BUILT, 1)
    ask()
    with django_capture_on_commit_callbacks(execute=True):
        newcomer = id_cache.person_keys(["late"], CustomerKind.SIGNED_IN)["late"]
    views_tea(newcomer)
    with django_assert_num_queries(0):
        assert ask(user="late").source is Source.SESSION
        assert ask(user="nobody").fallback_reason is Fallback.NO_HISTORY


def test_newcomers_come_from_the_record_where_valkey_may_not_know_all(valkey: redis.Redis) -> None:
    valkey.set(fetch.BUILT, 1)
    ask()
    newcomer = Customer.objects.create(pseudonym=pseudonym("late"))
    views_tea(newcomer.pk)
    assert ask(user="late").fallback_reason is Fallback.NO_HISTORY
    valkey.delete(fetch.BUILT)
    assert ask(user="late").source is Source.SESSION


def test_a_newcomer_that_valkey_misses_is_found_at_the_next_recheck(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey.set(fetch.BUILT, 1)
    ask()
    views_tea(Customer.objects.create(pseudonym=pseudonym("late")).pk)
    monkeypatch.setattr(snapshot_holder, "RECHECK", 0.0)
    assert ask(user="late").source is Source.SESSION


def test_an_anonymous_key_that_became_a_customer_s_is_answered_as_that_customer() -> None:
    anonymous = Customer.objects.create(
        pseudonym=pseudonym("a1", kind=CustomerKind.ANONYMOUS), kind=CustomerKind.ANONYMOUS
    )

    def by_anonymous() -> Answer:
        return serve(Request(placement="home", anonymous_id="a1"), now=NOW)

    assert by_anonymous().fallback_reason is Fallback.NO_HISTORY
    CustomerAlias.objects.create(
        anonymous=anonymous, customer=Customer.objects.get(pseudonym=pseudonym("u0")), source="test"
    )
    fetch.announce(Changed.CATALOGUE)
    ask()  # the snapshot is read again
    assert items(by_anonymous()) == items(ask())
    snapshot_holder.snapshot_holder.drop()
    assert items(by_anonymous()) == items(ask())


def test_weights_and_placements_act_on_the_next_answer() -> None:
    ask()
    default = BlendWeights.objects.defaults().get(blend__name="home")
    BlendWeights.objects.filter(pk=default.pk).update(is_default=False)
    other = BlendWeights.objects.create(
        blend=default.blend, number=99, weights={"als": 1.0}, status="published", is_default=True, reason="test"
    )
    Placement.objects.filter(name="home").update(n=3)
    fetch.announce(Changed.WEIGHTS, Changed.PLACEMENTS)
    answer = ask()
    assert answer.weights_version == other.number
    assert len(answer.shown) == 3
    assert set(answer.shown[0].contributions) == {"als"}


def test_a_lost_mark_of_change_is_made_up_for_by_the_recheck(monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    Placement.objects.filter(name="home").update(n=4)
    assert len(ask().shown) == 20  # nobody said so
    monkeypatch.setattr(snapshot_holder, "RECHECK", 0.0)
    assert len(ask().shown) == 4


def test_unknown_item_ids_are_listed_as_missing() -> None:
    answer = ask("also_bought", item_ids=("cheese-0", "no-such"), basket=("neither",), exclude_item_ids=("nor-this",))
    assert answer.missing_item_ids == ("no-such", "neither")
    assert answer.source is Source.MODEL


def test_every_answer_is_noted_once_and_a_dry_run_never(valkey: redis.Redis) -> None:
    answers = [ask("home"), ask("discover", user=None), ask("home", user="u1", personalise=False)]
    ask("home", dry_run=True)
    review(customer=Customer.objects.get(pseudonym=pseudonym("u0")).pk, placement="home")
    assert slates.log().send()
    assert valkey.xlen(SLATES) == 3
    assert write_slates() == 3
    assert write_slates() == 0
    rows = {row.recommendation_id: row for row in Slate.objects.all()}
    assert rows.keys() == {answer.recommendation_id for answer in answers}
    for answer in answers:
        row = rows[answer.recommendation_id]
        assert row.served_at == NOW
        assert (row.placement, row.source, row.personalised) == (answer.placement, answer.source, answer.personalised)
        assert (row.model_version, row.weights_version) == (answer.model_version, answer.weights_version)
        assert row.fallback_reason == (answer.fallback_reason or "")
        assert (row.items, row.propensities) == (items(answer), [1] * 20)
        assert row.scores == [shown.score for shown in answer.shown]
        assert 0 < row.latency_us < 5_000_000
    signed_in, stranger, unnamed = (rows[answer.recommendation_id] for answer in answers)
    assert signed_in.customer_id == Customer.objects.get(pseudonym=pseudonym("u0")).pk
    assert stranger.customer_id is None
    assert unnamed.customer_id is None  # who is not to be known is not written down


def test_a_slate_that_comes_twice_is_written_once(valkey: redis.Redis) -> None:
    ask()
    assert slates.log().send()
    entry = valkey.xrange(SLATES)[0][1]
    valkey.xadd(SLATES, entry)
    assert write_slates() == 2
    assert Slate.objects.count() == 1


def test_a_slate_without_a_partition_is_an_error(valkey: redis.Redis) -> None:
    stray = ServedSlate(
        served_at="1999-01-01T00:00:00+00:00", recommendation_id="r", customer_id=None, placement="home",
        source="model", personalised=False, fallback_reason="", model_version=None, weights_version=None,
        rules_version=0, items=[], scores=[], propensities=[], latency_us=1,
    )  # fmt: skip
    slates.append(stray)
    with pytest.raises(DatabaseError, match="no partition"):
        write_slates()


def test_the_review_as_tested_marks_what_was_bought_later() -> None:
    key = Customer.objects.get(pseudonym=pseudonym("u0")).pk
    seen = review(customer=key, placement="home", cut=Cut.TEST, n=10)
    assert seen.window is not None
    assert (seen.window[1] - seen.window[0]) == timedelta(days=28)
    assert seen.as_of == seen.window[0]
    later = set(Event.objects.purchases().between(*seen.window).filter(customer=key).values_list("item", flat=True))
    assert [card.bought_later for card in seen.cards] == [card.item.pk in later for card in seen.cards]
    assert any(card.bought_later for card in seen.cards)
    assert seen.answer.model_version == ModelVersion.objects.live().get().pk
    for card in seen.cards:
        sizes = [abs(value) for _, value in card.contributions]
        assert sizes == sorted(sizes, reverse=True)
        assert sum(value for _, value in card.contributions) == pytest.approx(card.score, abs=1e-6)
        assert len(card.reasons) == len(card.evidence)
        assert all(isinstance(text, str) and text for text in card.reasons)


def test_the_review_as_tested_does_not_hide_what_is_out_of_stock_today(
    django_capture_on_commit_callbacks: Any,
) -> None:
    key = Customer.objects.get(pseudonym=pseudonym("u0")).pk
    before = review(customer=key, placement="home", cut=Cut.TEST)
    with django_capture_on_commit_callbacks(execute=True):
        editing.set_availability(
            items=[before.cards[0].item.pk], availability=Availability.OUT_OF_STOCK, by=None, now=timezone.now()
        )
    keys = [card.item.pk for card in review(customer=key, placement="home", cut=Cut.TEST).cards]
    assert keys == [card.item.pk for card in before.cards]


def test_the_live_review_is_what_the_shop_gets() -> None:
    key = Customer.objects.get(pseudonym=pseudonym("u0")).pk
    for placement in ("home", "discover", "buy_again", "trending"):
        seen = review(customer=key, placement=placement)
        assert [card.item.pk for card in seen.cards] == items(ask(placement))
        assert seen.window is None
        assert {card.bought_later for card in seen.cards} <= {None}


def test_the_review_takes_items_in_view() -> None:
    key = Customer.objects.get(pseudonym=pseudonym("u0")).pk
    cheese = Item.objects.get(shop_id="cheese-0")
    seen = review(customer=key, placement="also_bought", context_items=[cheese.pk], n=3)
    assert len(seen.cards) == 3
    assert "Often bought with Cheese 0" in seen.cards[0].reasons


def test_a_process_that_never_reached_postgresql_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(snapshot_holder, "load_stock", away)
    fresh = SnapshotHolder()
    with pytest.raises(NotLoadedError):
        fresh.current(None)
    monkeypatch.undo()
    with pytest.raises(NotLoadedError):
        fresh.current(None)  # not again so soon
    time.sleep(2.1)
    assert len(fresh.current(None).stock) == 72


def test_with_postgresql_away_the_last_snapshot_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = items(ask())

    def away(*_: object, **__: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(snapshot_holder, "with_changes", away)
    fetch.announce(Changed.CATALOGUE)
    assert items(ask()) == shown
