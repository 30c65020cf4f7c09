"""The shop says that something happened to a customer which one of its campaigns is for.

The occasion is written down once by its key, and decided with all others at the next look, within a minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import transaction

from recommendations.engine.push.cases import PushCase
from recommendations.engine.push.decision import as_said
from recommendations.engine.push.gates import before_lists
from recommendations.models import Campaign, CampaignVersion, Considered, Customer, Item, Message, ShopOccasion
from recommendations.push_terms import SENDING, CampaignStatus, MessageState, OccurrenceState, Trigger, Verdict
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.campaigns.pressure import rules_now
from recommendations.services.push.deciding import Sending, habits_of, pressure_under, terms_under
from recommendations.services.push.timeline import MessageReason, reason_of
from recommendations.simulation.message_lists import current_snapshot
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.push.audience import is_in
from recommendations.store.push.people import people_of
from recommendations.terms import CustomerKind


class UnknownCampaignError(Exception):
    """There is no campaign of this short name."""


class UnknownCustomerError(Exception):
    """Nothing was ever told of this customer."""


class UnknownItemsError(Exception):
    """The catalogue has none of the items."""


class OtherTriggerError(Exception):
    """The campaign is not triggered by the shop."""


class CampaignNotLiveError(Exception):
    """The campaign sends nothing now; ``status`` says why."""

    def __init__(self, status: CampaignStatus) -> None:
        super().__init__(status)
        self.status = status


class KeyReusedError(Exception):
    """The key was sent before, with other items."""


@dataclass(frozen=True, kw_only=True)
class TriggerForm:
    """What the shop says: to whom it happened, which occasion it is, and about which items, the best first."""

    user_id: str
    key: str
    item_ids: Sequence[str] = ()


class DecidedOccasion(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an occasion: the verdict at the last look at it, and of its message where that has one."""

    verdict: Verdict
    state: MessageState | None
    reason: MessageReason | None
    at: datetime


class TriggerOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What will happen, as of the moment of the first call with its key.

    ``verdict`` None: the customer is in none of the campaign's audiences. ``now`` and ``later`` may still turn into
    another one where lists and competition are looked at; ``decided`` says into which, None before that.
    """

    verdict: Verdict | None
    due_at: datetime | None = None
    item: int | None = None  # that the message is about
    decided: DecidedOccasion | None = None


@transaction.atomic
def trigger(slug: str, form: TriggerForm, *, now: datetime) -> TriggerOutcome:
    """Write an occasion down; the same again has the same outcome, and what became of it since.

    Raises UnknownCampaignError, OtherTriggerError, UnknownCustomerError, UnknownItemsError, CampaignNotLiveError,
    KeyReusedError and NotLoadedError; then nothing is written.
    """
    campaign = Campaign.objects.filter(slug=slug).first()
    if campaign is None:
        raise UnknownCampaignError
    if campaign.trigger != Trigger.SHOP:
        raise OtherTriggerError
    known = Customer.objects.filter(pseudonym=pseudonym(form.user_id), kind=CustomerKind.SIGNED_IN)
    customer = known.select_for_update(of=("self",), no_key=True).first()  # of two calls at once one waits
    if customer is None:
        raise UnknownCustomerError
    before = ShopOccasion.objects.filter(campaign=campaign, customer=customer, key=form.key).first()
    if before is not None:
        if before.data["item_ids"] != list(form.item_ids):
            raise KeyReusedError
        outcome = msgspec.convert(before.data["outcome"], TriggerOutcome)
        return msgspec.structs.replace(outcome, decided=_decided(before))
    sending, item = _live(campaign, now=now), _item_of(form.item_ids, now=now)
    case = PushCase(campaign.pk, customer.pk, form.key, now, item)
    outcome = _outcome(case, sending, now=now)
    data = {"item_ids": list(form.item_ids), "outcome": msgspec.to_builtins(outcome)}
    ShopOccasion.objects.create(campaign=campaign, customer=customer, key=form.key, item_id=item, data=data, at=now)
    return outcome


def _decided(occasion: ShopOccasion) -> DecidedOccasion | None:
    """What the last look decided; what was held back for comparison was never a message."""
    same = {"customer": occasion.customer_id, "key": occasion.key}
    looks = Considered.objects.filter(occurrence__campaign=occasion.campaign_id, **same)
    last = looks.exclude(occurrence__state=OccurrenceState.PLANNED).order_by("-decided_at").first()
    if last is None:
        return None
    messages = Message.objects.filter(campaign=occasion.campaign_id, **same).exclude(state=MessageState.HELD)
    message = messages.first()
    return DecidedOccasion(
        verdict=Verdict(last.verdict), state=MessageState(message.state) if message else None,
        reason=reason_of(message) if message else None, at=last.decided_at,
    )  # fmt: skip


def _live(campaign: Campaign, *, now: datetime) -> Sending:
    """The campaign under its approved form. Raises CampaignNotLiveError."""
    version = CampaignVersion.objects.filter(campaign=campaign, is_live=True).first()
    status = campaign.status(live=version, now=now)
    if version is None or status is not CampaignStatus.LIVE:
        raise CampaignNotLiveError(status)
    return Sending(campaign=campaign, form=msgspec.convert(version.frozen, CampaignForm), cases=())


def _item_of(item_ids: Sequence[str], *, now: datetime) -> int | None:
    """The first of the items that is for sale, else the first that is known. Raises UnknownItemsError."""
    if not item_ids:
        return None
    stored = dict(Item.objects.filter(shop_id__in=item_ids).values_list("shop_id", "pk"))
    items = [stored[item_id] for item_id in item_ids if item_id in stored]
    if not items:
        raise UnknownItemsError
    snapshot = current_snapshot()
    sellable = set(snapshot.stock.ids.ids[snapshot.sellable(now)].tolist())
    return next((item for item in items if item in sellable), items[0])


def _outcome(case: PushCase, sending: Sending, *, now: datetime) -> TriggerOutcome:
    """What the gates say that need no list."""
    who, rules = sending.form.who, rules_now(now=now)
    if not is_in(case.customer, any_of=who.any_of, none_of=who.none_of):
        return TriggerOutcome(verdict=None, item=case.item)
    person = people_of([case.customer], habits=habits_of(rules), now=now)[case.customer]
    terms = terms_under(sending.form, sending.campaign)
    each = as_said(before_lists(case, person, terms, pressure=pressure_under(rules, now=now), now=now), now)
    due_at = each.due_at if each.verdict in SENDING else None
    return TriggerOutcome(verdict=each.verdict, due_at=due_at, item=case.item)
