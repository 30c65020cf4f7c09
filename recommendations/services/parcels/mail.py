"""Messages as mails."""

from datetime import datetime

from recommendations.channels.protocol import Gone, Outcome, Parcel
from recommendations.services.contacts import bounces
from recommendations.services.mails.letters import bytes_of, own_domain, shop_envelope
from recommendations.services.mails.returns import id_part, key_of
from recommendations.services.parcels.content import Delivery, MessageContent
from recommendations.services.parcels.rendering import letter_of
from recommendations.store.contacts.sealing import unseal


def mail_of(content: MessageContent) -> Delivery:
    """The mail, with the address opened; it lives only until it is handed over."""
    message, links = content.message, content.links
    letter = letter_of(
        content.form, content.items, reader=content.reader, variant=message.variant, links=links,
        occasion=content.occasion,
    )  # fmt: skip
    opened = unseal(content.address.sealed)
    headers = {
        "List-Unsubscribe": f"<{links.unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{message.campaign.purpose}.{own_domain()}>",
    }
    envelope = shop_envelope(
        str(message.pk), to=opened["email"], date=content.now, headers=headers, unique=id_part(message.pk)
    )
    parcel = Parcel(
        message=message.pk, idempotency_key=key_of(message.pk), address=opened, content=bytes_of(letter, envelope)
    )

    def note(outcome: Outcome, now: datetime) -> None:
        if isinstance(outcome, Gone):
            bounces.let_go(content.address, now=now)

    return Delivery(parcel=parcel, note=note)
