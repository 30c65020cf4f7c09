"""Levels that the pages tell are those that the loop learns, and say what they rest on."""

from datetime import datetime, timedelta

import pytest

from analytics.queries.customer.level import Standing, standings
from recommendations.engine.preprocess import levels as engine
from recommendations.event_types import EventName
from recommendations.models import Customer, CustomerAlias, Event, Item, RunStage
from recommendations.terms import Level, Stage, Trust
from tests.analytics import records
from tests.event_frames import event_frame

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea() -> Item:
    return records.item("tea")


def told(
    who: Customer, what: Item, *days: float, name: EventName = EventName.VIEW_ITEM, trust: Trust = Trust.PAGE,
    received: datetime | None = None,
) -> None:  # fmt: skip
    """Events so many days ago, each received when it happened, or at once."""
    for day in days:
        event = records.event(who, what, days_ago=day, name=name)
        rows = Event.objects.filter(event_id=event.event_id)
        rows.update(trust=trust, received_at=received or event.occurred_at)


def people(tea: Item) -> dict[str, Customer]:
    """A customer of every kind."""
    of = {
        name: records.customer(name)
        for name in ("buyer", "rater", "returner", "guest", "visitor", "burst", "dated back", "in a file", "nobody")
    }
    told(of["buyer"], tea, 3, 2, name=EventName.PURCHASE, trust=Trust.SERVER)
    told(of["rater"], tea, 3, name=EventName.RATE_ITEM, trust=Trust.SERVER)
    told(of["returner"], tea, 3, name=EventName.PURCHASE, trust=Trust.SERVER)
    told(of["returner"], tea, 2, name=EventName.REFUND, trust=Trust.SERVER)
    told(of["guest"], tea, 3, name=EventName.PURCHASE, trust=Trust.PAGE)
    told(of["visitor"], tea, 20, 12, 4)
    told(of["burst"], tea, 4, 3, 2, 1)
    told(of["dated back"], tea, 20, 12, 4, received=records.NOW)
    told(of["in a file"], tea, 5, trust=Trust.IMPORT)
    return of


def test_levels_are_those_of_the_engine(tea: Item, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FEWEST", 0)  # as in a shop that knows enough customers
    of = people(tea)
    known = standings([who.pk for who in of.values()])
    learned = engine.levels([event_frame(until=records.NOW + timedelta(days=1))])
    expected = dict(zip(learned.users.tolist(), learned.level.tolist(), strict=True))
    assert {name: known[who.pk].level for name, who in of.items()} == {
        name: expected.get(who.pk, Level.NEW) for name, who in of.items()
    }
    assert {name for name, who in of.items() if known[who.pk].level is Level.CONFIRMED} == {"buyer", "rater"}
    assert {name for name, who in of.items() if known[who.pk].level is Level.SEEN} == {"visitor", "in a file"}


def test_each_level_says_what_it_rests_on(tea: Item) -> None:
    of = people(tea)
    known = standings([who.pk for who in of.values()])
    assert {name: known[who.pk].reason for name, who in of.items()} == {
        "buyer": "1 purchase confirmed by the shop",  # two lines of one transaction
        "rater": "a rating confirmed by the shop",
        "visitor": "came on 3 days",
        "in a file": "named in a file of the shop",
    } | dict.fromkeys(["returner", "guest", "burst", "dated back", "nobody"], "nothing is learned from them yet")
    assert known[of["visitor"].pk].words == "Seen"


def test_nobody_is_new_to_a_run_that_knew_hardly_anybody(tea: Item) -> None:
    who = records.customer("u")
    told(who, tea, 1)
    run = records.run()
    records.version(run)
    RunStage.objects.filter(run=run, stage=Stage.PREPROCESS).update(counts={"new": 0, "seen": 4, "confirmed": 0})
    assert standings([who.pk])[who.pk].reason == "the shop knows hardly anybody yet"
    for counts in ({"new": 7, "seen": 90, "confirmed": 20}, {"new": 0, "seen": 0, "confirmed": 20}):
        RunStage.objects.filter(run=run, stage=Stage.PREPROCESS).update(counts=counts)
        assert standings([who.pk])[who.pk].level is Level.NEW


def test_what_a_merged_key_did_is_the_customers(tea: Item) -> None:
    who, visit = records.customer("u"), records.customer("cookie")
    told(visit, tea, 20, 12)
    told(who, tea, 4)
    CustomerAlias.objects.create(anonymous=visit, customer=who, source="test")
    standing = standings([who.pk], items=[tea.pk])[who.pk]
    assert (standing.level, standing.days, standing.events, standing.shared) == (Level.SEEN, 3, 3, 1)
    assert standing.first_received == records.NOW - timedelta(days=20)
    assert standings([]) == {}
    assert standings([visit.pk + 99]) == {visit.pk + 99: Standing()}
