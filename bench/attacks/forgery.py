"""Forgery: whether a stranger's browser writes what others did, and what it was worth. ``make bench-attacks`` runs it.

The attack, with nothing but the key of the shop's pages: an order of ten thousand million, an order of last year for
today's slate, a refund of somebody else's order, one order told three times, an objection in a customer's name and a
consent in the name of one who objected, a moment in a zone that no clock has, and 120 orders that no sum can hold.

The bar: none of them works, and an honest order is counted after each.
"""

import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.attacks.door import Desk, Door, event, visitor
from bench.attacks.tries import Attack, told

TRIES = 3
EVENTS = "/api/v1/events/"
FORTUNE = "9999999999.99"
PRICE = 5.0  # of what is bought honestly
COUNTED_IN = 30.0  # seconds
YES, NO = {"personalisation": True}, {"personalisation": False}


@dataclass
class Slate:
    """What somebody was shown."""

    number: str
    item: str

    @classmethod
    def of(cls, door: Door, **who: str) -> "Slate":
        answer = door.answer("home", **who)
        return cls(answer["recommendation_id"], answer["results"][0]["item_id"])

    def act(self, name: str, *, price: str = str(PRICE), **fields: Any) -> dict[str, Any]:
        line = {"item_id": self.item, "quantity": 1, "price": price}
        if name == "purchase":
            fields = {"transaction_id": uuid.uuid4().hex, **fields}
        return event(name, items=[line], recommendation_id=self.number, **fields)


class Forger:
    """Who tries, and what is looked at afterwards."""

    def __init__(self, door: Door, desk: Desk) -> None:
        self.door, self.desk = door, desk

    def counts(self) -> bool:
        """Whether an order that the shop's server tells of counts within half a minute, and what came before it."""
        buyer = self.door.customers[-1]
        slate = Slate.of(self.door, user_id=buyer)
        self.door.server(EVENTS, slate.act("purchase", user_id=buyer))
        until = time.monotonic() + COUNTED_IN
        while time.monotonic() < until:
            if self.desk.revenue(slate.number):
                return True
            time.sleep(0.5)
        return False

    def fortune(self, _victim: str) -> bool:
        me = visitor()
        slate = Slate.of(self.door, anonymous_id=me)
        self.door.page(EVENTS, slate.act("select_item", anonymous_id=me))
        self.door.page(EVENTS, slate.act("purchase", price=FORTUNE, anonymous_id=me))
        self.counts()
        return self.desk.revenue(slate.number) > 0

    def last_year(self, victim: str) -> bool:
        slate = Slate.of(self.door, user_id=victim)
        self.door.page(EVENTS, slate.act("purchase", anonymous_id=visitor(), ago=timedelta(days=300)))
        self.counts()
        return self.desk.revenue(slate.number) > 0

    def refund(self, victim: str) -> bool:
        """The order's number is known: shops count them up."""
        slate, order = Slate.of(self.door, user_id=victim), uuid.uuid4().hex
        self.door.server(EVENTS, slate.act("purchase", user_id=victim, transaction_id=order))
        for who in ({"anonymous_id": visitor()}, {"user_id": victim}, {"user_id": victim, "anonymous_id": visitor()}):
            self.door.page(EVENTS, slate.act("refund", transaction_id=order, **who))
        self.counts()
        return self.desk.revenue(slate.number) != PRICE

    def doubled(self, victim: str) -> bool:
        """A thank-you page, loaded twice, and the shop's server tell of one order."""
        slate, order, me = Slate.of(self.door, user_id=victim), uuid.uuid4().hex, visitor()
        for _ in range(2):
            self.door.page(EVENTS, slate.act("purchase", transaction_id=order, anonymous_id=me))
        self.door.server(EVENTS, slate.act("purchase", transaction_id=order, user_id=victim))
        self.counts()
        return self.desk.revenue(slate.number) != PRICE

    def objection(self, victim: str) -> bool:
        for who in ({"user_id": victim}, {"user_id": victim, "anonymous_id": visitor()}):
            said = event("view_homepage", consent=NO, ago=-timedelta(minutes=8), **who)
            self.door.page(EVENTS, said)
            self.door.beacon(EVENTS, {"events": [said]})
        return self._said(victim) != "yes"

    def consent(self, victim: str) -> bool:
        self.door.server(EVENTS, event("view_homepage", consent=NO, user_id=victim))
        self.door.page(EVENTS, event("view_homepage", consent=YES, user_id=victim, anonymous_id=visitor()))
        return self._said(victim) != "no"

    def far_zone(self, _victim: str) -> bool:
        """A row beside it must be kept."""
        me = visitor()
        slate = Slate.of(self.door, anonymous_id=me)
        rows = [slate.act("select_item", anonymous_id=me), slate.act("view_item", anonymous_id=me)]
        rows[1]["timestamp"] = rows[1]["timestamp"].replace("+00:00", "+16:00")
        answer = self.door.page(EVENTS, {"events": rows})
        return answer.status_code >= 500 or answer.json().get("accepted", 0) < 1

    def pill(self, _victim: str) -> bool:
        me = visitor()
        slate = Slate.of(self.door, anonymous_id=me)
        orders = [slate.act("purchase", price=FORTUNE, anonymous_id=me) for _ in range(120)]
        self.door.page(EVENTS, {"events": orders})
        return not self.counts()

    def _said(self, victim: str) -> str:
        """Whether the customer is answered personally; that is put right again."""
        personal = self.door.answer("home", user_id=victim)["personalised"]
        self.door.server(EVENTS, event("view_homepage", consent=YES, user_id=victim))
        return "yes" if personal else "no"


def attacks(data: Path, tries: int) -> Iterator[Attack]:
    forger = Forger(Door.of(data), Desk(data))
    ways: Mapping[str, Callable[[str], bool]] = {
        "an order of a fortune": forger.fortune, "an order of last year": forger.last_year,
        "a refund of another's order": forger.refund, "an order told three times": forger.doubled,
        "a consent for another": forger.consent, "an objection for another": forger.objection,
        "a moment in a far zone": forger.far_zone, "orders that no sum can hold": forger.pill,
    }  # fmt: skip
    *victims, _honest = forger.door.customers
    for name, way in ways.items():
        attack = Attack.tried(name, way, victims=victims, times=tries)
        attack.not_counted = int(not forger.counts())
        yield attack


if __name__ == "__main__":
    sys.exit(told(__doc__, attacks, tries=TRIES))
