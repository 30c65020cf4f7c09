"""Visits to the shop: a basket, a choice about personalisation, perhaps a name. In memory; a restart forgets."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

MOST_VISITS = 10_000
NEVER = datetime.min.replace(tzinfo=UTC)
IN_TIME = timedelta(hours=1)  # before a proof expires, so that a page left open can go on using it


def new_id(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(8)}"


@dataclass
class Visit:
    """A visit to the shop. The cookie holds its key and nothing else; the shop needs it for the basket."""

    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    anonymous_id: str = field(default_factory=lambda: new_id("visitor"))
    session_id: str = field(default_factory=lambda: new_id("session"))
    user_id: str = ""
    proof: str = ""  # by Recsite, that the visitor is this customer
    proved_until: datetime = NEVER
    consent: bool | None = None  # None: not asked yet
    says_consent: bool = False  # the choice is new: the next page tells Recsite
    basket: dict[str, int] = field(default_factory=dict)  # item → quantity
    orders: dict[str, Decimal] = field(default_factory=dict)  # id → total
    told: str = ""  # a message for the next page
    here: str = "/"  # address of the page that is asked for

    def put(self, item_id: str) -> None:
        self.basket[item_id] = self.basket.get(item_id, 0) + 1

    def begin_anew(self) -> None:
        """Begin again as somebody else: other ids, an empty basket, the question about personalisation open again."""
        self.anonymous_id, self.session_id = new_id("visitor"), new_id("session")
        self.user_id = self.proof = ""
        self.proved_until = NEVER
        self.consent, self.says_consent = None, False
        self.basket.clear()
        self.orders.clear()

    def needs_proof(self, now: datetime) -> bool:
        """Whether the pages cannot say who is signed in, or soon could not any more."""
        return bool(self.user_id) and now + IN_TIME > self.proved_until

    @property
    def personalised(self) -> bool:
        """Whether a visit is personalised: who signed in is known to the shop; who only looks around is asked first."""
        return self.consent is True or (self.consent is None and bool(self.user_id))


class Visits:
    def __init__(self) -> None:
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: str) -> Visit:
        """The visit of this cookie, or a new one, which is not kept before something is done."""
        with self._lock:
            if visit := self._visits.get(key):
                self._visits.move_to_end(key)
                return visit
        return Visit()

    def keep(self, visit: Visit) -> None:
        with self._lock:
            self._visits[visit.key] = visit
            while len(self._visits) > MOST_VISITS:
                self._visits.popitem(last=False)
