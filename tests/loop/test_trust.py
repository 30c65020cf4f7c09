"""What invented visitors do to a run: nothing while they are new; set aside where they conspire; and the guard."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone

from recommendations.engine.feedback.tuning import SearchConfig, tuned
from recommendations.engine.preprocess import suspects
from recommendations.event_types import EventName
from recommendations.loop import adjust, guard
from recommendations.loop.run import run_loop
from recommendations.models import (
    Aside,
    AuditEntry,
    Customer,
    CustomerAlias,
    Event,
    Item,
    ModelVersion,
    Quarantine,
    Run,
    RunStage,
)
from recommendations.services.access import keys
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.operations import quarantine, versions
from recommendations.services.operations.runs import start_run
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.models import live_version, model
from recommendations.terms import (
    CustomerKind,
    Cut,
    QuarantineState,
    RunStatus,
    Scope,
    Stage,
    SuspicionRule,
    Trust,
    VersionStatus,
)
from recommendations.watch_terms import GuardCheck
from tests.grocery import open_shop
from tests.trained import artefact_folder

NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def grocery(tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(adjust, "tuned", partial(tuned, search=SearchConfig(draws=4, climbs=1, rounds=1)))
    open_shop(now=NOW)
    with artefact_folder(tmp_path / "artefacts"):
        yield


def go_round() -> Run:
    run = start_run(by=None, now=NOW, in_worker=False)
    run_loop(run.pk, clock=timezone.now)
    run.refresh_from_db()
    assert run.status == RunStatus.SUCCEEDED, run.message
    return run


def sums(run: Run) -> Mapping[tuple[str, str], str]:
    """SHA-256 of every artefact of a run, but for when its directory was read."""
    artefacts = run.model_version.artefacts.exclude(name="directory/read_at")
    return {(one.cut, one.name): one.sha256 for one in artefacts}


def learned(run: Run) -> Mapping[tuple[str, str], str]:
    """The sums of all but the directory, which says of everybody who came that they are there."""
    return {(cut, name): checksum for (cut, name), checksum in sums(run).items() if not name.startswith("directory/")}


def counts(run: Run) -> Mapping[str, int]:
    return dict(RunStage.objects.get(run=run, stage=Stage.PREPROCESS).counts)


def visitors(n: int, prefix: str = "v") -> list[Customer]:
    return Customer.objects.bulk_create(
        Customer(pseudonym=pseudonym(f"{prefix}{number}", kind=CustomerKind.ANONYMOUS), kind=CustomerKind.ANONYMOUS)
        for number in range(n)
    )


def line(who: Customer, item: Item | None, name: EventName, at: datetime, **fields: object) -> Event:
    fields = {"trust": Trust.PAGE, "received_at": at, "event_id": uuid.uuid4(), **fields}
    return Event(customer=who, item=item, name=name, occurred_at=at, quantity=1, **fields)


def invented(people: list[Customer], *, acts: int, seed: int) -> list[Event]:
    """Acts of all kinds on whatever is for sale, told by a page, also of right now."""
    rng, items = np.random.default_rng(seed), list(Item.objects.all())
    names = [EventName.VIEW_ITEM, EventName.ADD_TO_CART, EventName.PURCHASE, EventName.SEARCH, EventName.DISLIKE_ITEM]
    rows = []
    for who in people:
        for number in range(acts):
            name = names[int(rng.integers(len(names)))]
            at = NOW - timedelta(hours=float(rng.uniform(0, 150)))
            item = None if name is EventName.SEARCH else items[int(rng.integers(len(items)))]
            extra = (
                {"transaction_id": f"x{who.pk}-{number}", "price": 9, "amount": 9} if name is EventName.PURCHASE else {}
            )
            rows.append(line(who, item, name, at, **extra))
        rows.append(line(who, items[0], EventName.VIEW_ITEM, NOW - timedelta(seconds=1)))
    return rows


def twins(targets: list[Item], n: int = 8) -> list[Customer]:
    """Visitors of three days over a week who look at the same four things, and at other ones."""
    people, rng = visitors(n, "twin"), np.random.default_rng(0)
    others = list(Item.objects.exclude(pk__in=[item.pk for item in targets])[:30])
    rows = []
    for who in people:
        for days in (1, 4, 9):
            at = NOW - days * DAY - timedelta(minutes=int(rng.integers(600)))
            rows += [line(who, others[int(place)], EventName.VIEW_ITEM, at) for place in rng.choice(30, 2)]
        rows += [line(who, item, EventName.ADD_TO_CART, NOW - DAY * 1.5) for item in targets]
    Event.objects.bulk_create(rows)
    return people


def test_new_visitors_leave_every_artefact_of_a_run_the_same() -> None:
    first = go_round()
    before = learned(second := go_round())
    live_version.go_live(first.model_version, now=NOW)  # so that both runs follow the same one
    second.model_version.delete()
    second.delete()
    Event.objects.bulk_create(invented(visitors(40), acts=30, seed=1))
    Event.objects.bulk_create(invented(visitors(400, "w"), acts=1, seed=2))
    after = go_round()
    assert counts(after)["new"] > 300  # the others came after the shop's own last word, and no run knows them yet
    assert counts(after)["removed_new"] > 900
    assert learned(after) == before
    assert len(before) > 500


def test_twins_are_set_aside_until_somebody_restores_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "ENOUGH", 40)
    targets = list(Item.objects.filter(title__startswith="Soap")[:4])
    people = twins(targets)
    first = go_round()
    [found] = Quarantine.objects.filter(rule=SuspicionRule.TWINS)
    assert (found.state, found.people, found.events, found.run) == (QuarantineState.ASIDE, 8, 80, first)
    assert sorted(found.items) == sorted(item.pk for item in targets)
    assert set(Aside.objects.filter(quarantine=found).values_list("customer", flat=True)) == {who.pk for who in people}
    assert counts(first)["set_aside"] >= 80
    users = model.load_snapshot(first.model_version.pk, Cut.LIVE)[0].users.ids
    assert not np.isin([who.pk for who in people], users).any()
    second = go_round()
    assert list(Quarantine.objects.filter(rule=SuspicionRule.TWINS)) == [found]  # nobody finds them twice
    assert not np.isin(
        [who.pk for who in people], model.load_snapshot(second.model_version.pk, Cut.LIVE)[0].users.ids
    ).any()
    with pytest.raises(NoteNeededError):
        quarantine.restore(quarantine=found, by=None, note=" ", now=NOW)
    for one in Quarantine.objects.filter(state=QuarantineState.ASIDE):
        quarantine.restore(quarantine=one, by=None, note="They are a school class.", now=NOW)
    third = go_round()
    assert np.isin([who.pk for who in people], model.load_snapshot(third.model_version.pk, Cut.LIVE)[0].users.ids).all()
    assert not Quarantine.objects.filter(rule=SuspicionRule.TWINS, state=QuarantineState.ASIDE).exists()
    with pytest.raises(quarantine.AlreadyDecidedError):
        quarantine.delete(quarantine=found, by=None, note="Or not.", now=NOW)


def test_what_is_deleted_is_gone_and_nothing_else_is() -> None:
    victim, other = Customer.objects.order_by("pk")[:2]
    mine, all_events = Event.objects.filter(customer=victim).count(), Event.objects.count()
    found = quarantine.set_aside_customer(customer=victim, by=None, note="A robot.")
    assert (found.events, found.rule) == (mine, SuspicionRule.STAFF)
    assert quarantine.sweep() == 0  # it is only set aside
    quarantine.delete(quarantine=found, by=None, note="A robot.", now=NOW)
    assert quarantine.sweep() == mine
    assert quarantine.sweep() == 0
    assert Event.objects.count() == all_events - mine
    assert Event.objects.filter(customer=other).exists()
    assert list(AuditEntry.objects.order_by("id").values_list("verb", flat=True)) == ["set aside", "delete"]


def test_of_an_item_what_the_unconfirmed_did_is_deleted() -> None:
    item, [visitor, device], buyer = Item.objects.first(), visitors(2), Customer.objects.first()
    CustomerAlias.objects.create(anonymous=device, customer=buyer, since=NOW, source="api", changed_at=NOW)
    Event.objects.bulk_create(line(who, item, EventName.VIEW_ITEM, NOW - DAY / 2) for who in (visitor, device, buyer))
    Event.objects.bulk_create([line(visitor, item, EventName.VIEW_ITEM, NOW - 2 * DAY)])
    rush = Quarantine.objects.create(rule=SuspicionRule.RUSH, items=[item.pk])
    Aside.objects.create(quarantine=rush, item=item, since=NOW - DAY)
    quarantine.delete(quarantine=rush, by=None, note="Fakes.", now=NOW)
    assert quarantine.sweep() == 1
    left = Event.objects.filter(item=item, trust=Trust.PAGE).values_list("customer", flat=True)
    assert sorted(left) == sorted([visitor.pk, device.pk, buyer.pk])


def test_what_a_key_sent_in_a_time_is_set_aside() -> None:
    key, _secret = keys.create_key(name="Partner", scopes=[Scope.EVENTS_WRITE], by=None)
    events = list(Event.objects.order_by("occurred_at")[:10])
    Event.objects.filter(event_id__in=[event.event_id for event in events]).update(key_id=key.pk, received_at=NOW)
    told = Event.objects.filter(key_id=key.pk).count()
    found = quarantine.set_aside_key(key=key, since=NOW - DAY, until=NOW + DAY, by=None, note="Bought data.")
    assert found.events == told
    later = quarantine.set_aside_key(key=key, since=NOW + DAY, until=None, by=None, note="From now on.")
    assert later.events == 0
    before = Event.objects.count()
    assert counts(go_round())["events"] == before - told


def test_a_version_of_a_shop_that_grew_over_night_waits_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "FEWEST", 50)
    first = go_round()
    items = list(Item.objects.filter(title__startswith="Soap"))
    crowd = visitors(70, "crowd")
    Event.objects.bulk_create(
        line(
            who, items[number % 12], EventName.PURCHASE, NOW - DAY * (2 + number % 5), trust=Trust.IMPORT,
            transaction_id=f"c{number}", price=1, amount=1,
        )
        for number, who in enumerate(crowd)
    )  # fmt: skip
    second = go_round()
    version = second.model_version
    assert (version.status, version.is_live) == (VersionStatus.READY, False)
    assert ModelVersion.objects.live().get().run == first
    assert {"check": GuardCheck.CUSTOMERS, "before": 60, "now": 130} in version.guard
    assert version.risers[0].keys() == {"item", "before", "now", "people", "confirmed"}
    assert {one["item"] for one in version.risers} <= {item.pk for item in items}
    assert "unusual: customers" in "\n".join(second.log.values_list("text", flat=True))
    versions.make_live(version=version, by=None, now=NOW, note="The old shop was merged into this one.")
    third = go_round()
    assert third.model_version.guard == []
    assert third.model_version.is_live
