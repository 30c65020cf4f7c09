"""People with something in every place of the record that holds anything of people, and the world that they share.

Everything of a person has a token of theirs in it, long enough that it stands nowhere by chance.
"""

import secrets
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from recommendations.customer_codes import customer_code
from recommendations.models import (
    Address,
    AgentVersion,
    AnswerState,
    ApprovalRequest,
    Arm,
    Aside,
    AttributedLine,
    Audience,
    AudienceMember,
    AuditEntry,
    CatalogueFile,
    Category,
    ConsentStatement,
    Considered,
    Contact,
    Customer,
    CustomerAlias,
    DueLine,
    Event,
    HeldEvent,
    Import,
    ImportedReceipt,
    Item,
    Judgement,
    LiveProfile,
    Message,
    MessageEvent,
    ModelVersion,
    Occurrence,
    Permission,
    PurposeWord,
    Quarantine,
    RejectedRow,
    Rule,
    RuleBook,
    Run,
    Segment,
    ShopOccasion,
    Slate,
    SlateOutcome,
    StatedTaste,
    Unit,
    WaitingLine,
)  # fmt: skip
from recommendations.privacy_terms import HolderCode
from recommendations.push_terms import AddressState, Channel
from recommendations.services.catalogue.files import FOLDER, MOST_KEPT
from recommendations.store.contacts.sealing import digest_of, seal
from recommendations.store.events.partitions import prepare_partitions
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.holders.protocol import Holder, Subject
from recommendations.store.live.fetch import packed
from recommendations.store.live.state import LiveState
from recommendations.terms import CustomerKind, SuspicionRule
from tests import agent_records, experiment_records, push_records

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

FOUND: Mapping[HolderCode, int] = {
    HolderCode.CONTACTS: 4, HolderCode.MESSAGES: 7, HolderCode.AGENTS: 1, HolderCode.EXPERIMENTS: 2,
    HolderCode.AUDIENCES: 1, HolderCode.SLATES: 4, HolderCode.ANSWERS: 1, HolderCode.INTERESTS: 1,
    HolderCode.STAFF_WORK: 10, HolderCode.FILES: 4, HolderCode.SOURCES: 3, HolderCode.EVENTS: 14,
    HolderCode.CUSTOMER: 5,
}  # fmt: skip
"""What each holder of the record finds of somebody, by hand."""


def token() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, kw_only=True)
class World:
    """What everybody shares: an item, a category, an experiment, a campaign, versions and groups."""

    item: Item
    category: Category
    arm: Arm
    sending: Occurrence
    agent: AgentVersion
    model: ModelVersion
    segment: Segment
    audience: Audience
    crowd: Quarantine
    file: Import


@dataclass(frozen=True, kw_only=True)
class Person:
    """A customer of the shop and a visitor who turned out to be them; ``tokens`` stand in what is theirs alone."""

    name: str
    customer: Customer
    visitor: Customer
    tokens: list[str] = field(default_factory=list)

    @cached_property
    def subject(self) -> Subject:
        both = (self.customer, self.visitor)
        return Subject(
            keys=frozenset(each.pk for each in both), pseudonyms=tuple(bytes(each.pseudonym) for each in both)
        )

    def token(self) -> str:
        self.tokens.append(token())
        return self.tokens[-1]


def world() -> World:
    prepare_partitions(NOW - 60 * DAY, NOW + DAY)
    run = Run.objects.create(now=NOW)
    return World(
        item=Item.objects.create(shop_id="tea", title="Tea"),
        category=Category.objects.create(path="Drinks", name="Drinks"),
        arm=experiment_records.experiment().arms.get(position=0),
        sending=push_records.campaign(),
        agent=agent_records.version(NOW.date()),
        model=ModelVersion.objects.create(run=run),
        segment=Segment.objects.create(number=901, automatic_name="Tea"),
        audience=Audience.objects.create(name="Tea drinkers", size=100),
        crowd=Quarantine.objects.create(rule=SuspicionRule.PACE, run=run),
        file=Import.objects.create(kind=Import.Kind.EVENTS, file="events.csv"),
    )


def person(of: World, name: str | None = None) -> Person:
    """Somebody with something in every place."""
    name = name or token()
    made = Person(
        name=name,
        customer=Customer.objects.create(pseudonym=pseudonym(name)),
        visitor=Customer.objects.create(
            pseudonym=pseudonym(name, kind=CustomerKind.ANONYMOUS), kind=CustomerKind.ANONYMOUS
        ),
    )  # fmt: skip
    furnish(of, made)
    return made


def furnish(of: World, one: Person) -> None:
    """Give somebody something in every place."""
    for add in (_said, _contact, _messages, _served, _learned, _staff, _events, _files, _aside):
        add(of, one)


def text_of(holder: Holder, of: Subject) -> str:
    """All that a holder exports, as text."""
    return "\n".join(
        repr([sheet.name, list(sheet.columns), [list(row) for row in sheet.rows]]) for sheet in holder.export(of)
    )


def stored_files() -> Iterator[str]:
    if default_storage.exists(FOLDER):
        yield from default_storage.listdir(FOLDER)[1]


def _said(of: World, one: Person) -> None:
    Customer.objects.filter(pk=one.customer.pk).update(properties={"club": one.token()}, consent_at=NOW)
    CustomerAlias.objects.create(anonymous=one.visitor, customer=one.customer, source=one.token())
    StatedTaste.objects.create(customer=one.customer, tags=[one.token()])
    PurposeWord.objects.create(
        customer=one.customer, purpose="measure", state="given", at=NOW, source="staff", proof={"form": one.token()}
    )
    AudienceMember.objects.create(audience=of.audience, customer=one.customer)


def _contact(_of: World, one: Person) -> None:
    Contact.objects.create(customer=one.customer, language="en")
    email = {"email": f"{one.token()}@example.com"}
    Address.objects.create(
        contact_id=one.customer.pk, channel=Channel.EMAIL, sealed=seal(email), digest=digest_of(Channel.EMAIL, email),
        state=AddressState.ACTIVE, confirmed_at=NOW,
    )  # fmt: skip
    given: dict[str, Any] = {"contact_id": one.customer.pk, "channel": "email", "purpose": "news", "state": "given"}
    ConsentStatement.objects.create(**given, at=NOW, source="api", proof={"form": one.token()})
    Permission.objects.create(**given, since=NOW, source="api")


def _messages(of: World, one: Person) -> None:
    sending, campaign = of.sending, of.sending.campaign
    assert sending.version is not None
    for key, customer, contact in (("own", one.customer, one.customer), ("to a visitor", one.customer, one.visitor)):
        message = Message.objects.create(
            campaign=campaign, version=sending.version, occurrence=sending, customer=customer, contact=contact.pk,
            key=key, channel="email", state="taken", due_at=NOW, expires_at=NOW + DAY, items=[of.item.pk],
            provider_id=one.token(), reason=one.token(), address=Address.objects.get(contact=one.customer.pk),
        )  # fmt: skip
        MessageEvent.objects.create(message=message, kind="clicked", at=NOW)
    Considered.objects.create(
        occurrence=sending, customer=one.customer, key="1", verdict="now", would_send=True, wanted_at=NOW,
        decided_at=NOW, items=[of.item.pk],
    )  # fmt: skip
    ShopOccasion.objects.create(campaign=campaign, customer=one.customer, key="1", data={"say": one.token()})
    ImportedReceipt.objects.create(campaign=campaign, customer=one.customer, received_at=NOW)
    agent_records.decisions([one.customer.pk], NOW.date(), of.agent)


def slate(of: World, one: Person, **fields: Any) -> str:
    """A list that somebody was served; its id."""
    given: dict[str, Any] = {
        "served_at": NOW, "recommendation_id": one.token(), "placement": "home", "source": "model",
        "personalised": True, "items": [of.item.pk], "scores": [1.0], "propensities": [1.0],
    }  # fmt: skip
    Slate.objects.create(**given | fields)
    return str(given["recommendation_id"])


def _served(of: World, one: Person) -> None:
    units = sorted(one.subject.units)
    lists = [slate(of, one, customer=one.customer), slate(of, one, unit=units[0])]
    SlateOutcome.objects.bulk_create(
        SlateOutcome(
            recommendation_id=each, placement="home", at=NOW, replay=False, listed=True, seen=[1], clicked=[],
            carted=[], bought=[], revenues=[], purchases=0,
        )
        for each in lists
    )  # fmt: skip
    state = LiveState(bought={of.item.pk: NOW.timestamp()})
    content = zlib.compress(msgspec.msgpack.encode([packed(state), [of.audience.pk]]))
    AnswerState.objects.create(key=uuid.uuid4(), used_on=NOW, content=content, customer=one.customer)
    for number, customer in ((units[0], one.customer), (units[1], None)):
        Unit.objects.create(experiment=of.arm.experiment, unit=number, customer=customer, arm=of.arm, first_at=NOW)


def _learned(of: World, one: Person) -> None:
    LiveProfile.objects.update_or_create(  # somebody of whom the live version learned has one
        customer=one.customer, defaults={"segment": of.segment, "weight": 1.0, "shift": 0.5, "leads": of.category.pk}
    )


def _staff(of: World, one: Person) -> None:
    Judgement.objects.create(
        customer=one.customer, item=of.item, placement="home", kind="odd", note=one.token()
    )  # fmt: skip
    rule = Rule.objects.create(name=one.token(), customer=one.customer, action="pin", slot=1)
    ApprovalRequest.objects.create(rule=rule, note=one.token())
    frozen = {"id": rule.pk, "name": rule.name, "customer": one.customer.pk, "action": "pin", "slot": 1}
    others = {"id": 0, "name": "For all", "customer": None, "action": "pin", "slot": 1}
    number = RuleBook.objects.count() + 1
    book = RuleBook.objects.create(number=number, rules=[others, frozen], note="Spring")
    entry = AuditEntry.objects.create
    entry(verb="publish", object_type="rulebook", object_id=str(book.pk), label=str(book), after={"rules": [rule.name]})
    entry(verb="publish", object_type="rule", object_id=str(rule.pk), label=rule.name, after=frozen, note=one.token())
    entry(verb="change", object_type="rule", object_id=str(rule.pk), label=rule.name, before={"slot": 2}, note="")
    entry(verb="change", object_type="rule", object_id="0", label="For all", before={"customer": one.customer.pk})
    code = customer_code(one.customer.pk)
    entry(verb="silence", object_type="contact", object_id=str(one.customer.pk), label=code, note=one.token())


def event(one: Customer | None, *, at: datetime = NOW, **fields: Any) -> Event:
    given: dict[str, Any] = {"occurred_at": at, "event_id": uuid.uuid4(), "line": 0, "name": "view_item"}
    return Event.objects.create(**given | {"customer": one} | fields)


def _events(of: World, one: Person) -> None:
    order, visit = one.token(), one.token()
    event(one.visitor, at=NOW - 45 * DAY, item=of.item, session_id=visit, search_term=one.token())
    event(one.customer, name="follow", target_type="brand", target_id=one.token())
    bought = event(one.customer, name="purchase", item=of.item, transaction_id=order, amount=5)
    back = event(None, name="refund", item=of.item, transaction_id=order, amount=5)
    for line in (bought, back):
        key = {"occurred_at": line.occurred_at, "event_id": line.event_id, "line": 0}
        DueLine.objects.create(**key)
        AttributedLine.objects.create(
            **key, name=line.name, item=of.item, transaction_id=order, amount=5, recommendation_id="r",
            placement="home", position=1, touch="click", replay=False,
        )  # fmt: skip
    for whose, sent in ((one.customer.pk, {"session_id": one.token()}), (None, {"transaction_id": order})):
        WaitingLine.objects.create(
            occurred_at=NOW, event_id=uuid.uuid4(), line=0, shop_id="not yet", customer_id=whose, sent=sent
        )  # fmt: skip
    HeldEvent.objects.create(
        held_for=one.customer.pk, occurred_at=NOW, event_id=uuid.uuid4(), line=0, event={"session_id": one.token()}
    )
    followed: dict[str, Any] = {"target_type": "customer", "target_id": bytes(one.customer.pseudonym).hex()}
    HeldEvent.objects.create(held_for=0, occurred_at=NOW, event_id=uuid.uuid4(), line=0, event=followed)
    event(None, name="follow", **followed)
    WaitingLine.objects.create(
        occurred_at=NOW, event_id=uuid.uuid4(), line=0, shop_id="not yet", sent={"name": "follow", **followed}
    )  # fmt: skip


def _files(of: World, one: Person) -> None:
    own = Event.objects.filter(customer__in=one.subject.keys)
    order = own.exclude(transaction_id=None).values_list("transaction_id", flat=True)[0]
    visit = own.exclude(session_id=None).values_list("session_id", flat=True)[0]
    for given in ({"transaction_id": order, "price": "x"}, {"session_id": visit, "price": "y"}):
        RejectedRow.objects.create(source=of.file, line=1, field="price", reason="no number", given=given)
    words = f"basket={order}, item=x"  # of a file whose columns were not ours
    RejectedRow.objects.create(source=of.file, line=2, field="item", reason="unknown", content=words)
    if CatalogueFile.objects.count() >= MOST_KEPT:
        return
    name = f"{token()}.csv"
    content = f"user_id,email\nsomebody,a@example.com\n{one.name},d@example.com\n"
    default_storage.save(f"{FOLDER}/{name}", ContentFile(content.encode()))
    CatalogueFile.objects.create(kind=Import.Kind.CONTACTS, file="contacts.csv", stored_as=name, lang="en")


def _aside(of: World, one: Person) -> None:
    Aside.objects.create(quarantine=of.crowd, customer=one.customer)
    alone = Quarantine.objects.create(rule=SuspicionRule.STAFF, people=1, reason=one.token())
    Aside.objects.create(quarantine=alone, customer=one.customer)
    AuditEntry.objects.create(
        verb="set aside", object_type="quarantine", object_id=str(alone.pk), label=str(alone),
        after={"customer": customer_code(one.customer.pk)}, note=one.token(),
    )  # fmt: skip


def whole_text(holders: Sequence[Holder], of: Subject) -> str:
    return "\n".join(text_of(holder, of) for holder in holders)
