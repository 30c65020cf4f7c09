"""From a campaign to mails at a real mail server: the plan is the sending, and nobody gets two."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from recommendations.channels.smtp import Smtp, SmtpServer
from recommendations.engine.experiments.assignment import share_of
from recommendations.models import (
    Campaign,
    CampaignVersion,
    Considered,
    Contact,
    Message,
    Occurrence,
    PressureRules,
    ShopOccasion,
    ShopSetting,
    Slate,
)
from recommendations.push_terms import (
    CampaignKind,
    Channel,
    ConsentSource,
    ConsentState,
    MessageState,
    OccurrenceState,
    Purpose,
    SuppressionReason,
    Trigger,
    Verdict,
)
from recommendations.services.campaigns.form import as_json, frozen_of
from recommendations.services.campaigns.pressure import season_salt
from recommendations.services.push.deciding import Ground
from recommendations.services.push.sender import ChannelSender
from recommendations.services.push.sendings import LiveCampaign, decide_pushes, plan
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.contacts import ledger, silence
from recommendations.store.contacts.ledger import Statement
from recommendations.store.live import writes
from recommendations.store.push import outbox
from recommendations.store.serving.served_experiments import TRAFFIC_SALT
from tests.post_office import Office, post_office
from tests.push_records import contact
from tests.services.campaigns.test_form import draft, what
from tests.serving.test_arms import weights_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]

PEOPLE = 40


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture(autouse=True)
def rules() -> PressureRules:
    return PressureRules.objects.create(
        number=1, caps=[{"channel": "email", "most": 1, "hours": 24}], quiet_from=time(0), quiet_until=time(0),
        holdout=0.2, season="2026-2", is_default=True,
    )  # fmt: skip


@pytest.fixture
def nobody_held(rules: PressureRules) -> None:
    """For a test of one person, who may by their key be among those who are held out."""
    PressureRules.objects.update(holdout=0.0)


@pytest.fixture
def office() -> Iterator[Office]:
    with post_office() as own:
        yield own


@pytest.fixture
def sender(office: Office) -> Iterator[ChannelSender]:
    line = Smtp(SmtpServer(host="127.0.0.1", port=office.port, timeout=2), sender=lambda parcel: "back@shop.example")
    yield ChannelSender(channel=Channel.EMAIL, line=line, holder="me", clock=timezone.now)
    line.close()


def customers() -> list[Any]:
    """Contacts of customers whom the model knows."""
    return [contact(f"u{number}") for number in range(PEOPLE)]


def campaign(name: str, now: datetime, **fields: Any) -> LiveCampaign:
    form = frozen_of(draft(**fields.pop("parts", {})), recurring=False, triggered=False)
    made = Campaign.objects.create(
        slug=name, name=name, **{"kind": CampaignKind.ONCE, "purpose": Purpose.FOR_YOU, **fields}
    )
    version = CampaignVersion.objects.create(campaign=made, number=1, frozen=as_json(form), starts_at=now)
    return LiveCampaign(campaign=made, version=version, form=form)


def verdicts(occurrence: Occurrence) -> dict[int, tuple[str, list[int], int | None]]:
    stored = Considered.objects.filter(occurrence=occurrence)
    return {each.customer_id: (each.verdict, each.items, each.lost_to_id) for each in stored}


def test_the_plan_of_each_of_five_campaigns_is_its_sending(now: datetime, rules: PressureRules) -> None:
    customers()
    made = [
        campaign(f"c{number}", now, parts={"what": what(blocks=[{"placement": placement, "n": 4}])}, purpose=purpose)
        for number, (placement, purpose) in enumerate(
            [
                ("home", "for_you"), ("buy_again", "reminders"), ("discover", "for_you"), ("trending", "news"),
                ("new", "news"),
            ]
        )
    ]  # fmt: skip
    ground = Ground(snapshot=current_snapshot(), rules=rules, now=now)
    plans = {each.campaign.pk: plan(each, ground=ground) for each in made}
    assert decide_pushes(now=now) == 5 * 60
    seen = Counter[str]()
    for occurrence in Occurrence.objects.all():
        planned = {
            each.case.customer: (each.verdict.value, list(each.items), each.lost_to)
            for each in plans[occurrence.campaign_id]
        }
        assert verdicts(occurrence) == planned
        assert sum(occurrence.counts[verdict.value] for verdict in Verdict) == len(planned) == 60
        seen.update(verdict for verdict, _, _ in planned.values())
    assert {"no_address", "held_out", "outranked", "now"} <= set(seen)


def test_an_experiment_on_the_list_of_mails_gives_each_arm_its_own_and_the_slate_says_so(
    now: datetime, sender: ChannelSender, office: Office, rules: PressureRules
) -> None:
    PressureRules.objects.update(holdout=0.0)
    customers()
    writes.rebuild()
    ShopSetting.objects.create(key=TRAFFIC_SALT, value="0a" * 16)
    test = weights_test(placements=("email",))
    live = campaign("weekly", now, parts={"what": what(blocks=[{"placement": "email", "n": 4}])})
    rules.refresh_from_db()
    ground = Ground(snapshot=current_snapshot(), rules=rules, now=now)
    planned = {each.case.customer: list(each.items) for each in plan(live, ground=ground) if each.items}
    decide_pushes(now=now)
    assert {each.customer_id: each.items for each in Message.objects.all()} == planned
    sender.send_some(current_snapshot(), most=PEOPLE)
    arms = {arm.pk: arm.position for arm in test.arms.all()}
    served = {each.customer_id: (arms[each.arms[0]], each.unit) for each in Slate.objects.filter(placement="email")}
    assert set(served) == set(planned)
    assert {position for position, _unit in served.values()} == {0, 1}
    assert all(unit is not None for _position, unit in served.values())
    lists = {
        position: {tuple(planned[key]) for key, (own, _unit) in served.items() if own == position}
        for position in (0, 1)
    }
    assert lists[0] != lists[1]
    assert len(office.got) == len(planned)


def test_mails_leave_once_with_what_was_decided(
    now: datetime, sender: ChannelSender, office: Office, rules: PressureRules
) -> None:
    people = [each.contact_id for each in customers()]
    held = sum(share_of(season_salt(rules), each) < rules.holdout for each in people)
    live = campaign("weekly", now)
    assert decide_pushes(now=now) == 60
    assert decide_pushes(now=now) == 0  # nothing is left to decide
    snapshot = current_snapshot()
    while sender.send_some(snapshot):
        pass
    counts = Occurrence.objects.get().counts
    taken = Message.objects.filter(state=MessageState.TAKEN)
    assert len(office.got) == counts["now"] == taken.count() == PEOPLE - held
    assert Message.objects.filter(state=MessageState.HELD).count() == counts["would_send"] == held > 0
    for message in taken:
        slate = Slate.objects.get(recommendation_id=message.recommendation_id)
        assert (slate.customer_id, slate.placement, slate.items) == (message.customer_id, "email", message.items)
        assert list(Considered.objects.get(customer=message.customer_id).items) == message.items
    mail = office.mails[0]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].startswith("<http")
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert text.count("/m/c/") == 6  # one for each item
    assert live.form.what.texts["en"].subjects[0] == mail["Subject"]


def test_what_the_shop_says_is_decided_at_the_next_tick_although_ticks_come_a_little_early(now: datetime) -> None:
    ann, told = contact("u0"), campaign("told", now, kind=CampaignKind.TRIGGERED, trigger=Trigger.SHOP)
    decide_pushes(now=now)
    ShopOccasion.objects.create(
        campaign=told.campaign, customer_id=ann.contact_id, key="order-1", at=now + timedelta(seconds=1)
    )
    assert decide_pushes(now=now + timedelta(seconds=30)) == 0  # another worker's tick
    assert decide_pushes(now=now + timedelta(seconds=59.7)) == 1


def test_a_cap_holds_over_campaigns_and_the_next_day_the_other_may_come(now: datetime) -> None:
    people = customers()
    campaign("first", now)
    decide_pushes(now=now)
    campaign("second", now)
    decide_pushes(now=now + timedelta(minutes=5))
    first, second = Occurrence.objects.order_by("pk")
    got = {key for key, (verdict, _, _) in verdicts(first).items() if verdict == "now"}
    assert {verdict for key, (verdict, _, _) in verdicts(second).items() if key in got} == {"capped"}
    decide_pushes(now=now + timedelta(hours=25))  # they stayed candidates
    assert {verdict for key, (verdict, _, _) in verdicts(second).items() if key in got} == {"now"}
    assert Message.objects.filter(state=MessageState.DUE).count() == 2 * len(got)
    assert len(people) == PEOPLE


def test_who_says_no_in_between_gets_nothing(now: datetime, sender: ChannelSender, office: Office) -> None:
    people = customers()
    campaign("weekly", now)
    decide_pushes(now=now)
    waiting = Message.objects.filter(state=MessageState.DUE)
    gone = waiting.first()
    assert gone is not None
    no = Statement(
        contact=gone.customer_id, channel=Channel.EMAIL, purpose=Purpose.FOR_YOU, state=ConsentState.WITHDRAWN,
        at=timezone.now(), source=ConsentSource.ONE_CLICK,
    )  # fmt: skip
    ledger.record([no])
    snapshot = current_snapshot()
    while sender.send_some(snapshot):
        pass
    gone.refresh_from_db()
    assert gone.state == MessageState.WITHDRAWN
    to = {address for _, addresses, _ in office.got for address in addresses}
    assert f"u{[each.contact_id for each in people].index(gone.customer_id)}@example.com" not in to
    assert len(to) == len(office.got) == Occurrence.objects.get().counts["now"] - 1


def test_far_more_than_was_approved_waits_for_a_person(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.services.push.sendings.BRAKE_PEOPLE", 5)
    customers()
    live = campaign("weekly", now)
    live.version.expected = {"now": 3}
    live.version.save()
    decide_pushes(now=now)
    assert Occurrence.objects.get().state == OccurrenceState.WAITING
    assert not Message.objects.exists()
    assert Considered.objects.count() == 60


def test_a_paused_campaign_decides_and_sends_nothing(now: datetime, sender: ChannelSender, office: Office) -> None:
    customers()
    live = campaign("weekly", now)
    decide_pushes(now=now)
    Campaign.objects.filter(pk=live.campaign.pk).update(paused_at=now)
    campaign("other", now, paused_at=now)
    decide_pushes(now=now)
    assert sender.send_some(current_snapshot()) == []
    assert (Occurrence.objects.count(), office.got) == (1, [])


@pytest.mark.usefixtures("nobody_held")
@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("550 5.1.1 no such user", MessageState.GONE), ("550 5.7.1 not you", MessageState.REFUSED),
        ("451 4.3.0 later", MessageState.DUE),
    ],
)  # fmt: skip
def test_what_the_server_says_is_what_is_known(
    now: datetime, sender: ChannelSender, office: Office, answer: str, state: MessageState
) -> None:
    address = contact("u1")
    campaign("weekly", now)
    office.at_rcpt = answer
    decide_pushes(now=now)
    sender.send_some(current_snapshot())
    message = Message.objects.get(customer=address.contact_id)
    assert (message.state, answer in message.reason) == (state, True)
    if state is MessageState.DUE:
        assert message.due_at > timezone.now() + timedelta(seconds=40)


@pytest.mark.usefixtures("nobody_held")
@pytest.mark.parametrize(
    ("meanwhile", "state"),
    [
        ("the campaign is paused", MessageState.DUE), ("it is too late", MessageState.EXPIRED),
        ("the lease is over", MessageState.LEASED), ("the address is silent", MessageState.WITHDRAWN),
    ],
)  # fmt: skip
def test_what_cannot_be_handed_over_says_why(
    now: datetime, sender: ChannelSender, office: Office, monkeypatch: pytest.MonkeyPatch, meanwhile: str,
    state: MessageState,
) -> None:  # fmt: skip
    address = contact("u1")
    live = campaign("weekly", now)
    decide_pushes(now=now)
    hand = outbox.hand

    def late(message: int, **values: Any) -> bool:
        own, past = Message.objects.filter(pk=message), timezone.now() - timedelta(seconds=1)
        if meanwhile == "the campaign is paused":
            Campaign.objects.filter(pk=live.campaign.pk).update(paused_at=now)
        elif meanwhile == "it is too late":
            own.update(expires_at=past)
        elif meanwhile == "the lease is over":
            own.update(lease_until=past)
        else:
            silence.silence(Channel.EMAIL, bytes(address.digest), reason=SuppressionReason.STAFF, now=now)
        return hand(message, **values)

    monkeypatch.setattr(outbox, "hand", late)
    sender.send_some(current_snapshot())
    assert (Message.objects.get(customer=address.contact_id).state, office.got) == (state, [])


@pytest.mark.usefixtures("nobody_held")
def test_what_waited_for_its_hour_leaves_in_the_seconds_after_it(
    now: datetime, sender: ChannelSender, office: Office
) -> None:
    contact("u1")
    hour = (now - timedelta(seconds=20)).replace(microsecond=0)
    campaign("at-its-hour", hour, parts={"when": {"hour": hour.time().isoformat(), "clock": "shop"}})
    decide_pushes(now=hour)  # when the hour strikes; a sender comes some seconds later
    assert Message.objects.get().due_at == hour
    sender.send_some(current_snapshot())
    assert (Message.objects.get().state, len(office.got)) == (MessageState.TAKEN, 1)


@pytest.mark.usefixtures("nobody_held")
def test_who_bears_less_by_now_gets_it_later_and_not_never(
    now: datetime, sender: ChannelSender, office: Office
) -> None:
    address = contact("u1")
    first, second = campaign("first", now), campaign("second", now)
    PressureRules.objects.update(caps=[])
    decide_pushes(now=now)
    Contact.objects.update(most_a_week=1)
    sender.send_some(current_snapshot())
    stored = Message.objects.filter(customer=address.contact_id)
    assert sorted(stored.values_list("state", flat=True)) == ["due", "taken"]
    assert len(office.got) == 1
    assert stored.get(state=MessageState.DUE).campaign in {first.campaign, second.campaign}
    assert stored.get(state=MessageState.DUE).due_at > timezone.now() + timedelta(minutes=30)
