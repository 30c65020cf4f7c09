"""Messages of the shop itself to Recsite: orders, and who a visitor turned out to be. A page hardly waits for them."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from recsite_client import Client, RecsiteError, new_event
from recsite_client.bodies import EventFields, EventItem
from storefront.catalogue import Catalogue
from storefront.visits import Visit

WAIT = 0.5  # seconds, so that the next page knows; after that it goes on behind the visitor's back

# What is on its way when the shop ends is lost, as are baskets: a real shop sends orders from where it keeps them.


class Outbox:
    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self._client, self._catalogue = client, catalogue

    def purchase(self, visit: Visit, order: str) -> Decimal:
        """Tell Recsite what the basket holds, and return the total."""
        items: list[EventItem] = []
        total = Decimal(0)
        for item_id, quantity in visit.basket.items():
            product = self._catalogue.find(item_id)
            price = Decimal(product.price if product else 0)
            total += price * quantity
            items.append({"item_id": item_id, "quantity": quantity, "price": price})
        fields: EventFields = {**who(visit), "transaction_id": order, "items": items, "value": total}
        event = new_event("purchase", **fields)
        _behind(lambda: self._client.send_events([event]))
        return total

    def play(self, visit: Visit, item_id: str, recommendation_id: str) -> None:
        """Tell Recsite that the visitor played an item to its end."""
        fields: EventFields = {**who(visit), "items": [{"item_id": item_id}], "progress": 1.0}
        if recommendation_id:
            fields["recommendation_id"] = recommendation_id
        event = new_event("play", **fields)
        _behind(lambda: self._client.send_events([event]))

    def sign_in(self, visit: Visit) -> None:
        """Merge the visitor into the customer: what was done before counts for the customer from now on."""
        anonymous_id, user_id = visit.anonymous_id, visit.user_id
        _behind(lambda: self._client.merge_users(anonymous_id=anonymous_id, user_id=user_id))

    def prove(self, visit: Visit) -> None:
        """Get what the pages need to say who is signed in; while Recsite is away they tell of a visitor."""

        def ask() -> None:
            answer = self._client.prove(user_id=visit.user_id, anonymous_id=visit.anonymous_id)
            visit.proof, visit.proved_until = answer["proof"], datetime.fromisoformat(answer["expires"])

        _behind(ask)


def _behind(work: Callable[[], object]) -> None:
    def run() -> None:
        with suppress(RecsiteError):
            work()

    thread = threading.Thread(target=run, name="outbox", daemon=True)
    thread.start()
    thread.join(WAIT)


def who(visit: Visit) -> EventFields:
    """Fields that say whose an event is, as far as the visitor lets us say."""
    fields: EventFields = {"context": {"channel": "web", "page": "/checkout"}}
    if not visit.personalised:
        fields["consent"] = {"personalisation": False}
        return fields
    fields["anonymous_id"], fields["session_id"] = visit.anonymous_id, visit.session_id
    if visit.user_id:
        fields["user_id"] = visit.user_id
    return fields
