"""The placement of what is gone on with: from plays, in the record and in Valkey, to the answer and its reasons."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from recommendations.event_types import EventName
from recommendations.models import Customer, Event, Item, Placement
from recommendations.serving.pipeline import recommend
from recommendations.serving.types import Answer, ResolvedRequest
from recommendations.store.live import fetch, writes
from recommendations.store.live.record import recorded_states
from recommendations.store.live.state import NOTHING, UNKNOWN, WHOLE, Begun, LiveState, live_event
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.terms import Fallback, Reason, Repeat, Source
from recommendations.wording.reasons import reason_text
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "cinema")]


@pytest.fixture
def cinema(settings: Settings) -> None:
    settings.SHOP_DOMAIN = "video"
    Placement.objects.create(name="continue", scope="begun", explores=False)
    wines = Item.objects.filter(shop_id__startswith="wine-")
    for wine in wines:
        number = int(wine.shop_id.removeprefix("wine-")) + 1
        wines.filter(pk=wine.pk).update(collection="Wine", number=number, kind="episode", updated_at=timezone.now())


def key(shop_id: str) -> int:
    return Item.objects.get(shop_id=shop_id).pk


def begun(*plays: tuple[str, int]) -> LiveState:
    """A state of plays, the newest first."""
    at = NOW.timestamp()
    return LiveState(begun=tuple(Begun(key(item), tenths, at - place) for place, (item, tenths) in enumerate(plays)))


def answer(state: LiveState, *, model: bool = True, **asked: object) -> Answer:
    customer = Customer.objects.get_or_create(pseudonym=b"n" * 32)[0].pk
    ask = ResolvedRequest(**{"placement": "continue", "customer": customer, "recommendation_id": "r-1", **asked})  # type: ignore[arg-type]
    snapshot = SnapshotHolder().current(None)
    return recommend(ask, snapshot=snapshot if model else replace(snapshot, model=None), state=state, now=NOW)


def items(found: Answer) -> list[str]:
    return [shown.product.shop_id for shown in found.shown]


@pytest.mark.parametrize("model", [True, False])
def test_what_was_begun_and_the_next_episode_come_with_their_reasons(model: bool) -> None:
    found = answer(begun(("tea-1", 4), ("wine-2", WHOLE), ("tea-2", WHOLE)), model=model)
    assert items(found) == ["tea-1", "wine-3"]
    assert (found.source, found.fallback_reason, found.personalised) == (Source.SESSION, Fallback.SHORT, True)
    reasons = [reason for shown in found.shown for reason in shown.reasons]
    assert [one.code for one in reasons] == [Reason.BEGUN, Reason.NEXT_PART]
    assert [reason_text(one.code, one.evidence) for one in reasons] == [
        "Stopped after about 40%", "Comes after Wine 2",
    ]  # fmt: skip


def test_nothing_else_fills_it() -> None:
    found = answer(NOTHING)
    assert (items(found), found.source, found.fallback_reason) == ([], Source.NONE, Fallback.NOTHING_BEGUN)


def test_where_nobody_can_say_what_was_begun_it_says_so() -> None:
    found = answer(UNKNOWN)
    assert (items(found), found.fallback_reason) == ([], Fallback.NO_LIVE_STATE)


def test_an_episode_that_was_begun_out_of_turn_is_gone_on_with_whatever_repeats() -> None:
    Placement.objects.filter(name="continue").update(repeat=Repeat.EXCLUDE)
    assert items(answer(begun(("wine-3", 4)))) == ["wine-3"]


def test_it_is_not_used_against_the_will() -> None:
    plays = begun(("tea-1", 4))
    for found in (answer(plays, personalise=False), answer(replace(plays, objected=True))):
        assert (items(found), found.fallback_reason) == ([], Fallback.NOT_PERSONALISED)


def test_what_may_not_be_shown_is_left_out() -> None:
    plays = begun(("tea-1", 4), ("tea-2", 5), ("tea-3", 6))
    Item.objects.filter(shop_id="tea-1").update(retired_at=NOW - timedelta(days=1), updated_at=timezone.now())
    disliked = replace(plays, disliked={key("tea-2"): NOW.timestamp()})
    assert items(answer(disliked)) == ["tea-3"]
    assert items(answer(plays, exclude_items=(key("tea-3"),))) == ["tea-2"]


def test_lists_of_what_is_new_have_the_next_episode_of_a_series_alone() -> None:
    Placement.objects.filter(name="home").update(repeat=Repeat.EXCLUDE)
    everything = items(answer(begun(("wine-2", WHOLE)), placement="home", n=60))
    assert [item for item in everything if item.startswith("wine")] == ["wine-3"]
    of_a_stranger = items(answer(NOTHING, placement="home", n=60))
    assert [item for item in of_a_stranger if item.startswith("wine")] == ["wine-0"]


def test_plays_are_remembered_by_valkey_as_the_record_has_them() -> None:
    customer = Customer.objects.create(pseudonym=b"v" * 32)
    now, tea, wine, soap = timezone.now(), key("tea-1"), key("wine-1"), key("tea-2")
    plays = ((tea, EventName.PLAY, 0.44, 3), (tea, EventName.PLAY, 0.2, 1), (wine, EventName.COMPLETE, None, 2),
             (soap, EventName.PLAY, 0.05, 0), (soap, EventName.RATE_ITEM, None, 0))  # fmt: skip
    events = [
        live_event(customer.pk, name, item, now - timedelta(minutes=ago), share) for item, name, share, ago in plays
    ]
    for event, (_, name, share, _ago) in zip(events, plays, strict=True):
        Event.objects.create(
            event_id=uuid4(), name=name, customer=customer, item_id=event.item,
            occurred_at=event.at, progress=share,
        )  # fmt: skip
    expected = [(tea, 2), (wine, WHOLE), (tea, 4)]
    recorded = recorded_states([customer.pk], None)[customer.pk]
    assert [each[:2] for each in recorded.begun] == expected
    writes.rebuild(afresh=True)
    for showings in (False, True):
        state = fetch.state_of(customer.pk, since=None, showings=showings).state
        assert [each[:2] for each in state.begun] == expected
        assert fetch.unpacked(fetch.packed(state)) == replace(state, known=True)
    writes.remember(events)  # as they came in: a rating is no play
    assert [each[:2] for each in fetch.state_of(customer.pk, since=None).state.begun] == expected


def test_plays_go_with_who_is_merged_and_with_who_is_forgotten() -> None:
    visitor, customer = (Customer.objects.create(pseudonym=letter * 32) for letter in (b"a", b"b"))
    writes.rebuild(afresh=True)
    play = live_event(visitor.pk, EventName.PLAY, key("tea-1"), timezone.now(), 0.5)
    writes.remember([play, writes.Joined(visitor.pk, customer.pk)])
    assert [each[:2] for each in fetch.state_of(customer.pk, since=None).state.begun] == [(key("tea-1"), 5)]
    writes.remember([writes.Forgotten(customer.pk)])
    assert fetch.state_of(customer.pk, since=None).state.begun == ()
