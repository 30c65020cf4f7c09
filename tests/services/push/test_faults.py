"""A clock that goes back, a model that changes in between, people who turn out to be one or two: nothing is sent twice,
no cap is broken, and what was decided stays one decision.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.cases import CaseItems
from recommendations.models import (
    Artefact,
    BlendWeights,
    Campaign,
    Considered,
    Customer,
    CustomerAlias,
    Message,
    ModelVersion,
    Occurrence,
    PressureRules,
    ShopOccasion,
    Slate,
)
from recommendations.push_terms import CampaignKind, Channel, MessageState, Trigger
from recommendations.services.operations.runs import start_run
from recommendations.services.push import deciding
from recommendations.services.push.deciding import Ground
from recommendations.services.push.sender import ChannelSender
from recommendations.services.push.sendings import LiveCampaign, decide_pushes, plan
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.process_held import drop_all
from recommendations.store.push import outbox
from recommendations.terms import CustomerKind
from tests.post_office import Office
from tests.push_records import contact
from tests.services.push.test_plans import launch, written
from tests.services.push.test_sendings import campaign, now, office, sender

__all__ = ["now", "office", "sender"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

PEOPLE = 12
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEASON, HOLDOUT = "2026-2", 0.1


@pytest.fixture(autouse=True)
def rules(settings: LazySettings) -> PressureRules:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"
    return PressureRules.objects.create(
        number=1, caps=[{"channel": "email", "most": 1, "hours": 24}], quiet_from=time(0), quiet_until=time(0),
        holdout=0.0, season=SEASON, is_default=True,
    )  # fmt: skip


def at(sender: ChannelSender, moment: timedelta) -> ChannelSender:
    """The sender in a process whose clock is so far off."""
    return ChannelSender(channel=sender.channel, line=sender.line, holder="me", clock=lambda: timezone.now() + moment)


def send_all(sender: ChannelSender) -> None:
    snapshot = current_snapshot()
    while sender.send_some(snapshot):
        pass


def told(now: datetime, *customers: int, key: str = "order-1") -> LiveCampaign:
    """A live campaign of which the shop said that something happened to them."""
    made = Campaign.objects.filter(trigger=Trigger.SHOP).first() or written("Told", CampaignKind.TRIGGERED)
    for customer in customers:
        ShopOccasion.objects.create(campaign=made, customer_id=customer, key=key, at=now - HOUR)
    return launch(made, now)


def states() -> dict[int, list[str]]:
    """States of messages by person."""
    own: dict[int, list[str]] = {}
    for customer, state in Message.objects.order_by("pk").values_list("customer", "state"):
        own.setdefault(customer, []).append(state)
    return own


class TestAClockThatGoesBack:
    @pytest.mark.parametrize("kind", list(CampaignKind)[:3])
    def test_what_was_decided_is_decided_once(self, now: datetime, kind: CampaignKind) -> None:
        people = [contact(f"u{number}").contact_id for number in range(PEOPLE)]
        if kind is CampaignKind.TRIGGERED:
            told(now, *people)
        elif kind is CampaignKind.RECURRING:
            launch(written("Again", kind, when={"weekdays": [1, 2, 3, 4, 5, 6, 7], "hour": "00:00:00"}), now - DAY)
        else:
            campaign("weekly", now)
        decide_pushes(now=now)
        before = list(Message.objects.order_by("pk").values()), list(Considered.objects.order_by("pk").values())
        occurrences = list(Occurrence.objects.order_by("pk").values("key", "decided_at", "state"))
        assert len(before[0]) == PEOPLE
        for back in (HOUR, timedelta(minutes=61), timedelta(seconds=1), timedelta()):
            decide_pushes(now=now - back)
        assert (
            list(Message.objects.order_by("pk").values()),
            list(Considered.objects.order_by("pk").values()),
        ) == before
        assert list(Occurrence.objects.order_by("pk").values("key", "decided_at", "state")) == occurrences

    def test_no_cap_is_broken_by_a_campaign_that_is_decided_an_hour_earlier(
        self, now: datetime, sender: ChannelSender, office: Office
    ) -> None:
        for number in range(PEOPLE):
            contact(f"u{number}")
        campaign("first", now)
        decide_pushes(now=now)
        send_all(sender)
        campaign("second", now - 2 * HOUR)
        decide_pushes(now=now - HOUR)
        assert Occurrence.objects.get(campaign__slug="second").counts["capped"] == PEOPLE
        send_all(at(sender, -HOUR))
        assert len(office.got) == PEOPLE
        assert {len(own) for own in states().values()} == {1}

    def test_leases_go_by_the_clock_of_the_database(self, now: datetime, sender: ChannelSender, office: Office) -> None:
        contact("u1")
        campaign("weekly", now)
        decide_pushes(now=now)
        [message] = outbox.lease(Channel.EMAIL, holder="other")
        for off in (-HOUR, timedelta(), HOUR, 2 * DAY):
            assert at(sender, off).send_some(current_snapshot()) == []
        assert outbox.reap() == {}
        with connection.cursor() as cursor:
            cursor.execute("SELECT lease_until - clock_timestamp() FROM recommendations_message")
            [(left,)] = cursor.fetchall()
        assert timedelta(seconds=30) < left <= timedelta(seconds=outbox.LEASE)
        Message.objects.filter(pk=message).update(state=MessageState.DUE, holder="", lease_until=None)
        send_all(at(sender, -HOUR))
        put_off = Message.objects.get()
        assert (put_off.state, put_off.due_at < now + HOUR + timedelta(minutes=1)) == (MessageState.DUE, True)
        Message.objects.update(due_at=now)
        send_all(sender)
        send_all(at(sender, -HOUR))
        assert len(office.got) == 1
        stored = Message.objects.get()
        assert stored.handed_at is not None
        assert abs(stored.handed_at - timezone.now()) < timedelta(minutes=5)


class TestAModelThatChangesInBetween:
    @staticmethod
    def publish() -> int:
        """What a run of the loop does at its end: another version goes live, here under other weights."""
        old = ModelVersion.objects.live().get()
        artefacts = list(old.artefacts.all())
        old.is_live = False
        old.save()
        new = ModelVersion.objects.get(pk=old.pk)
        new.pk, new.run, new.is_live = None, start_run(by=None, now=timezone.now(), in_worker=False), True
        new.save()
        for each in artefacts:
            each.pk, each.version = None, new
        Artefact.objects.bulk_create(artefacts)
        BlendWeights.objects.defaults().filter(blend__name="home").update(weights={"als": 0.6, "ease_home": 0.4})
        drop_all()  # what is held by processes, as a thread would load it that does not see this transaction
        snapshot = current_snapshot()
        assert snapshot.model is not None
        assert snapshot.model.version_id == new.pk
        return new.pk

    def test_what_is_decided_together_is_decided_under_one(
        self, now: datetime, rules: PressureRules, monkeypatch: pytest.MonkeyPatch, sender: ChannelSender
    ) -> None:
        PressureRules.objects.update(caps=[])
        for number in range(PEOPLE):
            contact(f"u{number}")
        made = [campaign(name, now) for name in ("first", "second")]
        old, listed = current_snapshot(), deciding.items_of_many
        before = {each.campaign.pk: plan(each, ground=Ground(snapshot=old, rules=rules, now=now)) for each in made}

        def in_the_middle(*args: Any, **options: Any) -> Iterator[CaseItems]:
            for place, items in enumerate(listed(*args, **options)):
                if place == PEOPLE // 2:
                    self.publish()
                yield items

        monkeypatch.setattr(deciding, "items_of_many", in_the_middle)
        decide_pushes(now=now)
        monkeypatch.undo()
        new = current_snapshot()
        assert old.model is not None
        assert new.model is not None
        assert old.model.version_id != new.model.version_id
        for occurrence in Occurrence.objects.all():
            assert occurrence.model_version == old.model.version_id
            under_old = {each.case.customer: list(each.items) for each in before[occurrence.campaign_id]}
            assert dict(Considered.objects.filter(occurrence=occurrence).values_list("customer", "items")) == under_old
        under_new = [list(each.items) for each in plan(made[0], ground=Ground(snapshot=new, rules=rules, now=now))]
        assert under_new != [list(each.items) for each in before[made[0].campaign.pk]]
        Message.objects.filter(campaign=made[1].campaign).update(state=MessageState.WITHDRAWN)
        for snapshot in (old, new):
            sender.send_some(snapshot, most=PEOPLE // 2)
        versions = Counter(Slate.objects.values_list("model_version", flat=True))
        assert versions == {each.model.version_id: PEOPLE // 2 for each in (old, new)}  # each says what made it


class TestPeopleWhoAreOne:
    @staticmethod
    def visitor(own: int | None = None) -> int:
        """Somebody with a history who gave an address before they signed in."""
        own = own or contact("u59").contact_id
        Customer.objects.filter(pk=own).update(kind=CustomerKind.ANONYMOUS)
        return own

    @staticmethod
    def merge(visitor: int, customer: int) -> None:
        CustomerAlias.objects.create(anonymous_id=visitor, customer_id=customer, source="api")

    @staticmethod
    def part(now: datetime) -> None:
        CustomerAlias.objects.update(undone_at=now)

    def test_what_waits_for_the_visitor_counts_against_the_caps_of_the_customer(
        self, now: datetime, sender: ChannelSender, office: Office
    ) -> None:
        vic, ann = self.visitor(), contact("u1").contact_id
        campaign("weekly", now)
        decide_pushes(now=now)
        assert states() == {vic: ["due"], ann: ["due"]}
        self.merge(vic, ann)
        send_all(sender)
        assert len(office.got) == 1
        assert sorted(state for own in states().values() for state in own) in (["due", "taken"], ["taken", "withdrawn"])

    def test_two_who_are_one_by_now_get_one_message_of_an_occasion_whatever_the_caps(
        self, now: datetime, rules: PressureRules, sender: ChannelSender, office: Office
    ) -> None:
        PressureRules.objects.update(caps=[])
        vic, ann = self.visitor(), contact("u1").contact_id
        for name in ("first", "second"):
            campaign(name, now)
        decide_pushes(now=now)
        self.merge(vic, ann)
        for first in (True, False):  # they leave one by one, or in one go
            own = Message.objects.filter(campaign__slug="first" if first else "second")
            Message.objects.exclude(pk__in=own).update(due_at=now + HOUR)
            own.update(due_at=now)
            while sender.send_some(current_snapshot(), most=1 if first else 10):
                pass
            assert sorted(own.values_list("state", "reason")) == [("taken", ""), ("withdrawn", "done_already")]
        assert len(office.got) == 2

    def test_what_the_customer_got_counts_for_what_waits_for_the_visitor(
        self, now: datetime, sender: ChannelSender, office: Office
    ) -> None:
        vic, ann = self.visitor(), contact("u1").contact_id
        campaign("first", now)
        decide_pushes(now=now)
        Message.objects.filter(customer=vic).update(due_at=now + HOUR)
        send_all(sender)
        assert [to for _, to, _ in office.got] == [["u1@example.com"]]
        Message.objects.filter(customer=vic).update(due_at=now)
        self.merge(vic, ann)
        send_all(sender)
        assert (len(office.got), states()) == (1, {vic: ["due"], ann: ["taken"]})

    @pytest.mark.parametrize("whole_season", [True, False])
    def test_a_visitor_who_is_a_held_out_customer_gets_nothing_more(
        self, now: datetime, rules: PressureRules, sender: ChannelSender, office: Office, *, whole_season: bool
    ) -> None:
        safety = {} if whole_season else {"safety": {"holdout": 0.5}}
        live = campaign("weekly", now, parts=safety)
        salt = f"push:{SEASON}".encode() if whole_season else f"campaign:{live.campaign.pk}".encode()
        people = {contact(name).contact_id: f"{name}@example.com" for name in map("u{}".format, range(PEOPLE))}
        points = {person: share_of(salt, person) for person in people}
        held, vic = min(people, key=points.__getitem__), self.visitor(max(people, key=points.__getitem__))
        share = min((points[held] + points[vic]) / 2, 0.5)
        assert points[held] < share < points[vic]
        if whole_season:
            PressureRules.objects.update(holdout=share)
        else:
            live.version.frozen["safety"]["holdout"] = share
            live.version.save()
        decide_pushes(now=now)
        assert (states()[vic], states()[held]) == (["due"], ["held"])
        self.merge(vic, held)
        send_all(sender)
        assert not any(people[vic] in to for _, to, _ in office.got)
        stored = Message.objects.get(customer=vic)
        assert (stored.state, stored.reason) == ("withdrawn", "held_out")

    def test_an_occasion_of_the_visitor_is_not_one_of_the_customer_again(
        self, now: datetime, rules: PressureRules, sender: ChannelSender, office: Office
    ) -> None:
        PressureRules.objects.update(caps=[])
        vic, ann = self.visitor(), contact("u1").contact_id
        told(now, vic)
        decide_pushes(now=now)
        send_all(sender)
        assert states() == {vic: ["taken"]}
        self.merge(vic, ann)
        for later in (HOUR, DAY, DAY + HOUR):
            decide_pushes(now=now + later)
        send_all(sender)
        assert (len(office.got), states()) == (1, {vic: ["taken"]})

    def test_parting_splits_nothing_that_was_sent(self, now: datetime, sender: ChannelSender, office: Office) -> None:
        vic, ann = self.visitor(), contact("u1").contact_id
        self.merge(vic, ann)
        campaign("first", now)
        decide_pushes(now=now)
        send_all(sender)
        assert (len(office.got), states()) == (1, {ann: ["taken"]})
        before = list(Message.objects.values()), list(Slate.objects.values())
        self.part(now)
        campaign("second", now)
        decide_pushes(now=now)
        send_all(sender)
        assert (
            list(Message.objects.filter(campaign__slug="first").values()),
            list(Slate.objects.filter(customer=ann).values()),
        ) == before
        assert states() == {ann: ["taken"], vic: ["taken"]}  # from now on each has their own
        assert Occurrence.objects.get(campaign__slug="second").counts["capped"] == 1
