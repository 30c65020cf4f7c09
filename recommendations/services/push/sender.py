"""The sender: takes messages up that are due, looks again whether they are wanted, and hands them over once.

Between the commit of ``hand`` and that of ``settle`` nobody can know what became of a message, so whatever dies there
is ``unknown`` and is never sent again by itself.
"""

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from django.db import transaction
from msgspec import structs

from recommendations.channels.protocol import Gone, Later, Line, Outcome, Refused, Taken
from recommendations.engine.push.cases import CaseVerdict, PushCase
from recommendations.models import Message
from recommendations.push_terms import WAITS_ON, CampaignKind, Channel, MessageState, Purpose, Trigger, Verdict
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.parcels.content import Delivery, NowhereError
from recommendations.services.parcels.lines import WAYS
from recommendations.services.push.deciding import Ground, Sending, considered
from recommendations.services.push.failing import pause_what_fails
from recommendations.services.push.letters import written_for
from recommendations.services.push.occasions import occasions
from recommendations.serving.pipeline import UnknownPlacementError
from recommendations.store.agents import decision_log
from recommendations.store.contacts.sealing import KeysMissingError, SealBrokenError
from recommendations.store.push import outbox
from recommendations.store.push.owners import Owner, owners_of
from recommendations.store.serving import slates
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import NotLoadedError

log = structlog.get_logger(__name__)
RETRIES = (60, 300, 1_800, 7_200)  # seconds until the next try
SPREAD = 0.2  # of it, at random
PATIENCE = 3_600  # seconds until a message is looked at again that its reader cannot bear yet, or has no way now
FAULTS = (LookupError, NotLoadedError, SealBrokenError, KeysMissingError, UnknownPlacementError, TypeError, ValueError)
"""What may be wrong with one message; the others go on."""
MOST_FAULTS = 3  # times that a message may fail to be written
STATES: Mapping[type, MessageState] = {
    Taken: MessageState.TAKEN, Refused: MessageState.REFUSED, Gone: MessageState.GONE, Later: MessageState.DUE,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ChannelSender:
    """One sender of a channel; ``holder`` is its name in the outbox."""

    channel: Channel
    line: Line
    holder: str
    clock: Callable[[], datetime]
    goes_on: Callable[[Outcome], bool] = lambda _outcome: True
    """Takes each outcome, and says whether the line is worth the next message."""

    def send_some(self, snapshot: Snapshot, *, most: int = outbox.AT_ONCE) -> list[Outcome | None]:
        """Take up what is due; what became of each, None where it was not handed over."""
        keys = outbox.lease(self.channel, holder=self.holder, most=most)
        stored = Message.objects.select_related("campaign", "version", "occurrence__pressure", "address__contact")
        messages = list(stored.filter(pk__in=keys).order_by("due_at", "pk"))
        wanted = self._still_wanted(messages, snapshot)
        outcomes: list[Outcome | None] = []
        for each in messages:
            outcomes.append(self._send(each, wanted[each.pk], snapshot))
            if outcomes[-1] is not None and not self.goes_on(outcomes[-1]):
                break
        for each in messages[len(outcomes) :]:
            self._put_back(each, after=0, reason="the line is shut")
        return outcomes

    def _still_wanted(self, messages: Sequence[Message], snapshot: Snapshot) -> dict[int, CaseVerdict]:
        """The verdict on each message now, by its key."""
        verdicts: dict[int, CaseVerdict] = {}
        now = self.clock()
        owners, by_rules = owners_of([message.pk for message in messages]), dict[int, list[Message]]()
        for message in messages:
            by_rules.setdefault(message.occurrence.pressure_id or 0, []).append(message)
        for some in by_rules.values():
            rules = some[0].occurrence.pressure
            if rules is None:
                raise ValueError("a message was reserved under rules of pressure")
            ground = Ground(snapshot=snapshot, rules=rules, now=now, but=frozenset(each.pk for each in some))
            outcome = considered(_sendings(some, owners, channel=self.channel, now=now), ground=ground)
            verdicts |= dict(zip(_in_order(some), outcome, strict=True))
        return verdicts

    def _send(self, message: Message, verdict: CaseVerdict, snapshot: Snapshot) -> Outcome | None:
        now = self.clock()
        if verdict.verdict is Verdict.LATER and verdict.due_at is not None:
            self._put_back(message, after=(verdict.due_at - now).total_seconds(), reason="quiet hours")
            return None
        if verdict.verdict in WAITS_ON:
            self._put_back(message, after=PATIENCE, reason=verdict.verdict.value)
            return None
        if verdict.verdict is not Verdict.NOW:
            self._let_go(message, MessageState.WITHDRAWN, reason=verdict.verdict.value)
            return None
        if self.channel is Channel.WEB_PUSH and verdict.case.customer != message.contact:
            # Whoever has the browser would read what was made of the acts of a customer whom it was merged into.
            self._let_go(message, MessageState.WITHDRAWN, reason=Verdict.NO_ADDRESS.value)
            return None
        return self._hand_over(message, verdict, snapshot, now=now)

    def _hand_over(
        self, message: Message, verdict: CaseVerdict, snapshot: Snapshot, *, now: datetime
    ) -> Outcome | None:
        try:
            written = written_for(message, verdict, snapshot=snapshot, now=now)
            delivery = WAYS[self.channel].write(written.content)
        except NowhereError as error:
            self._put_back(message, after=PATIENCE, reason=str(error))
            return None
        except FAULTS as error:
            log.exception("message could not be written", message=message.pk, error=type(error).__name__)
            self._failed(message)
            return None
        if not self._hand(message, written.slate):
            self._not_handed(message)
            return None
        outcome = self.line.hand_over(delivery.parcel)
        self._settle(message, outcome, delivery)
        return outcome

    @transaction.atomic
    def _hand(self, message: Message, slate: slates.ServedSlate) -> bool:
        """Commit that the message leaves, with the list that it shows."""
        handed = outbox.hand(
            message.pk, holder=self.holder, purpose=Purpose(message.campaign.purpose), items=slate.items,
            recommendation=slate.recommendation_id,
        )  # fmt: skip
        if handed:
            slates.write_now(slate)
        return handed

    def _not_handed(self, message: Message) -> None:
        """Write why a message did not leave; one whose lease is over is the reaper's."""
        now, stored = self.clock(), Message.objects.select_related("campaign").get(pk=message.pk)
        if stored.lease_until is None or stored.lease_until <= now:
            return
        if stored.expires_at <= now:
            self._let_go(message, MessageState.EXPIRED, reason="too late")
        elif stored.campaign.paused_at is not None:
            self._put_back(message, after=RETRIES[0], reason="paused")
        else:
            self._let_go(message, MessageState.WITHDRAWN, reason="no longer wanted")

    def _settle(self, message: Message, outcome: Outcome, delivery: Delivery) -> None:
        state = STATES.get(type(outcome), MessageState.UNKNOWN)
        reason = getattr(outcome, "reason", "")
        after = 0.0
        if isinstance(outcome, Later):
            # Whom a dead line was tried for is not to blame; the line itself is tried less and less often.
            planned = RETRIES[0] if outcome.of_line else RETRIES[min(message.tries, len(RETRIES) - 1)]
            after = outcome.after or planned * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - no secret
        provider = outcome.provider_id if isinstance(outcome, Taken) else ""
        outbox.settle(message.pk, state, holder=self.holder, reason=reason, provider_id=provider, after=after)
        delivery.note(outcome, self.clock())

    def _put_back(self, message: Message, *, after: float, reason: str) -> None:
        outbox.settle(
            message.pk, MessageState.DUE, holder=self.holder, was=[MessageState.LEASED], after=after, reason=reason
        )

    def _let_go(self, message: Message, state: MessageState, *, reason: str) -> None:
        outbox.settle(message.pk, state, holder=self.holder, was=[MessageState.LEASED], reason=reason)

    def _failed(self, message: Message) -> None:
        """Try a message again that could not be written, but not for ever."""
        faults = outbox.count_fault(message.pk)
        if faults >= MOST_FAULTS:
            self._let_go(message, MessageState.FAILED, reason="it could not be written")
            pause_what_fails(message.campaign, version=message.version_id, now=self.clock())
        else:
            self._put_back(message, after=RETRIES[0], reason="it could not be written")


def new_holder(name: str) -> str:
    """A name that no other sender has, whatever process numbers come again."""
    return f"{name}-{secrets.token_hex(6)}"


def _sendings(
    messages: Sequence[Message], owners: Mapping[int, Owner], *, channel: Channel, now: datetime
) -> list[Sending]:
    """The messages as cases, campaign by campaign; a message leaves on the channel that it was reserved for, or not."""
    by_campaign: dict[int, list[Message]] = {}
    for message in messages:
        by_campaign.setdefault(message.campaign_id, []).append(message)
    return [
        Sending(
            campaign=some[0].campaign,
            form=structs.replace(msgspec.convert(some[0].version.frozen, CampaignForm), channels=[channel]),
            cases=_cases(some, owners, now=now), has_waited=True,
        )
        for some in by_campaign.values()
    ]  # fmt: skip


def _in_order(messages: Sequence[Message]) -> list[int]:
    """Keys of the messages as ``_sendings`` has them."""
    by_campaign: dict[int, list[int]] = {}
    for message in messages:
        by_campaign.setdefault(message.campaign_id, []).append(message.pk)
    return [key for some in by_campaign.values() for key in some]


def _cases(messages: Sequence[Message], owners: Mapping[int, Owner], *, now: datetime) -> list[PushCase]:
    """Cases of messages of one campaign, of the people that their owners are by now; what called for one may be undone,
    or the same person has another message for it.
    """
    campaign, there = messages[0].campaign, None
    if campaign.kind == CampaignKind.TRIGGERED:
        form = msgspec.convert(messages[0].version.frozen, CampaignForm)
        people = [owners[each.pk].person for each in messages]
        happened = occasions(Trigger(campaign.trigger), form.occasion, campaign=campaign.pk, now=now, people=people)
        there = {(case.customer, case.key) for case in happened}
    chosen = decision_log.agents_choices([each.pk for each in messages])
    return [
        PushCase(
            campaign.pk, owner.person, each.key, each.due_at, each.trigger_item, chosen=each.pk in chosen,
            done=owner.has_another or (there is not None and (owner.person, each.key) not in there),
        )
        for each in messages
        for owner in [owners[each.pk]]
    ]  # fmt: skip
