"""What keeps mail from somebody who said yes to it: staff and the shop's server see it beside the yes."""

from datetime import datetime

from recommendations.models import Contact
from recommendations.push_terms import BY_TRAITS, AddressState, ConsentState, Obstacle, Purpose


def obstacle_of(
    contact: Contact, purpose: str, state: str, *, address: str | None, silent: bool, now: datetime
) -> Obstacle | None:
    """The first thing in the way of a purpose; None where mail may go out, or nobody said yes.

    ``address`` is the state of the contact's address of the channel, None without one.
    """
    if state != ConsentState.GIVEN:
        return None
    if address is None:
        return Obstacle.NO_ADDRESS
    if address == AddressState.UNCONFIRMED:
        return Obstacle.UNCONFIRMED
    if silent:
        return Obstacle.SILENT
    if Purpose(purpose) in BY_TRAITS and not contact.customer.personalise:
        return Obstacle.OBJECTION
    return Obstacle.PAUSED if contact.paused_until and contact.paused_until > now else None
