"""Quarantines made by hand: nine twins who share three items, and a rush on two of them."""

from collections.abc import Sequence
from datetime import timedelta

from recommendations.event_types import EventName
from recommendations.models import Aside, Customer, Item, Quarantine, Run
from recommendations.terms import SuspicionRule
from tests.analytics import records

SHARED = 3
TWINS = 9


def items() -> list[Item]:
    return [records.item(f"rare-{number}", title=f"Rare {number}") for number in range(SHARED)]


def items_of(quarantine: Quarantine) -> list[Item]:
    return list(Item.objects.filter(pk__in=quarantine.items).order_by("pk"))


def twins(things: Sequence[Item], *, run: Run | None = None) -> Quarantine:
    """Nine customers who each looked at the items the day before."""
    people = [records.customer(f"twin-{number}") for number in range(TWINS)]
    for who in people:
        for thing in things:
            records.event(who, thing, days_ago=1, name=EventName.VIEW_ITEM)
    return of_people(SuspicionRule.TWINS, people, things, run=run, events=TWINS * len(things))


def of_people(
    rule: SuspicionRule,
    people: Sequence[Customer],
    things: Sequence[Item] = (),
    *,
    run: Run | None = None,
    events: int = 1,
) -> Quarantine:
    stored = Quarantine.objects.create(
        rule=rule, run=run, events=events, people=len(people), items=[thing.pk for thing in things]
    )
    Aside.objects.bulk_create(Aside(quarantine=stored, customer=who) for who in people)
    return stored


def of_items(things: Sequence[Item], *, run: Run | None = None) -> Quarantine:
    """What everybody who never bought did with the items in the last week."""
    stored = Quarantine.objects.create(
        rule=SuspicionRule.RUSH, run=run, events=40, people=0, items=[thing.pk for thing in things]
    )
    since = records.NOW - timedelta(days=7)
    Aside.objects.bulk_create(Aside(quarantine=stored, item=thing, since=since) for thing in things)
    return stored
