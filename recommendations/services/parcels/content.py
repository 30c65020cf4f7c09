"""What a message says, before any channel has written it, and what is given to a channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from recommendations.channels.protocol import Outcome, Parcel
from recommendations.models import Address, Message, Permission
from recommendations.push_terms import Purpose
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.parcels.links import links_of
from recommendations.services.parcels.rendering import Links, Reader
from recommendations.serving.types import Shown
from recommendations.wording.occasions import ItemOccasion


class NowhereError(Exception):
    """There is nowhere to send it at present; it waits."""


@dataclass(frozen=True, kw_only=True)
class MessageContent:
    """What somebody gets now: the items under the ``recommendation`` that is stored of them, and why."""

    message: Message
    form: CampaignForm
    items: Sequence[Shown]
    recommendation: str
    occasion: ItemOccasion | None
    now: datetime

    @property
    def address(self) -> Address:
        """Where it goes. Raises ValueError where the address is gone."""
        if self.message.address is None:
            raise ValueError("its address is gone")
        return self.message.address

    @property
    def reader(self) -> Reader:
        message, contact = self.message, self.address.contact
        purpose = Purpose(message.campaign.purpose)
        yes = Permission.objects.filter(contact=contact.pk, channel=message.channel, purpose=purpose).first()
        return Reader(
            language=contact.language, purpose=purpose, said_yes_at=yes.since if yes else None, zone=contact.time_zone
        )

    @property
    def links(self) -> Links:
        return links_of(self.message.pk, self.address, now=self.now)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A parcel, and what is to be noted of where it went when its outcome is known, by then."""

    parcel: Parcel
    note: Callable[[Outcome, datetime], None]
