"""Invented contacts: whom the demo's shop may write to, at addresses that exist nowhere.

All of it is drawn by a hash of the customer, so it is the same for everybody who starts the demo. Of what somebody did
since, nothing is touched: who has a contact keeps it, and who was erased stays so.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import NamedTuple

from django.db import transaction

from demo.browsers import invent_browsers
from recommendations.customer_codes import customer_code
from recommendations.models import Contact, Customer, Suppression
from recommendations.push_terms import Channel, ConsentSource, ConsentState, Purpose, SuppressionReason
from recommendations.store.contacts import book, ledger
from recommendations.store.contacts.book import ContactBook
from recommendations.store.contacts.ledger import Statement
from recommendations.store.contacts.sealing import digest_of
from recommendations.terms import CustomerKind

DOMAIN = "shop.example"  # no such domain can ever be (RFC 2606)
GIVEN, WITHDRAWN, UNCONFIRMED = 0.70, 0.10, 0.05  # shares of the customers; the rest was never asked
BROWSERS = 0.30  # of those who said yes: they let the shop notify, too
ALL_PURPOSES = 0.60  # of those who said yes
SOME_PURPOSES = [each for size in range(1, len(Purpose)) for each in combinations(Purpose, size)]
LANGUAGES = (("en", 0.85), ("zh-hans", 0.15))
ZONES = (
    ("", 0.30),  # the shop's
    ("America/New_York", 0.25), ("America/Chicago", 0.15), ("America/Los_Angeles", 0.15),
    ("Europe/London", 0.10), ("Asia/Shanghai", 0.05),
)  # fmt: skip
LONGEST_AGO = timedelta(days=300)  # that somebody said yes
PROOF = {"form": "demo", "note": "Invented for the demo: nobody said this."}


class Draw(NamedTuple):
    """Numbers between 0 and 1 that belong to a customer, another one for each question."""

    code: str

    def number(self, question: str) -> float:
        digest = hashlib.sha256(f"invented contact/{self.code}/{question}".encode()).digest()
        return int.from_bytes(digest[:7]) / 2**56

    def among[Choice](self, question: str, shares: Iterable[tuple[Choice, float]]) -> Choice | None:
        """The choice in whose share the number falls; None beyond all of them."""
        left = self.number(question)
        for choice, share in shares:
            if left < share:
                return choice
            left -= share
        return None


@dataclass(frozen=True, kw_only=True)
class InventedContact:
    """What is drawn for a customer whom the shop has an address of."""

    customer: int
    state: ConsentState
    email: str
    language: str
    time_zone: str
    purposes: Sequence[Purpose]
    given_ago: timedelta
    withdrawn_ago: timedelta
    has_browser: bool = False

    def statements(self, *, now: datetime) -> Iterator[Statement]:
        """What stands in the ledger: who has withdrawn had said yes before."""
        times = {
            ConsentState.ASKED: [(ConsentState.ASKED, now)],
            ConsentState.GIVEN: [(ConsentState.GIVEN, now - self.given_ago)],
            ConsentState.WITHDRAWN: [
                (ConsentState.GIVEN, now - self.given_ago),
                (ConsentState.WITHDRAWN, now - self.withdrawn_ago),
            ],
        }[self.state]
        for purpose in self.purposes:
            for state, at in times:
                for channel in (Channel.EMAIL, Channel.WEB_PUSH) if self.has_browser else (Channel.EMAIL,):
                    yield Statement(
                        contact=self.customer, channel=channel, purpose=purpose, state=state, at=at,
                        source=ConsentSource.DEMO, proof=PROOF,
                    )  # fmt: skip


def invented(customer: int) -> InventedContact | None:
    """The contact that is drawn for a customer; None for one who was never asked."""
    code = customer_code(customer)
    draw = Draw(code)
    shares = ((ConsentState.GIVEN, GIVEN), (ConsentState.WITHDRAWN, WITHDRAWN), (ConsentState.ASKED, UNCONFIRMED))
    state = draw.among("state", shares)
    if state is None:
        return None
    some = SOME_PURPOSES[int(draw.number("which purposes") * len(SOME_PURPOSES))]
    ago = LONGEST_AGO * draw.number("given")
    return InventedContact(
        customer=customer,
        state=state,
        email=f"customer-{code}@{DOMAIN}",
        language=draw.among("language", LANGUAGES) or LANGUAGES[0][0],
        time_zone=draw.among("zone", ZONES) or "",
        purposes=tuple(Purpose) if draw.number("purposes") < ALL_PURPOSES else some,
        given_ago=ago,
        withdrawn_ago=ago * draw.number("withdrawn"),
        has_browser=state == ConsentState.GIVEN and draw.number("browser") < BROWSERS,
    )


@transaction.atomic
def invent_contacts(*, now: datetime, push_service: str = "") -> int:
    """Invent contacts of signed-in customers who have none; how many. Raises KeysMissingError.

    ``push_service``: the origin of the demo's, for the browsers that some of them have; without it, none has.
    """
    book.lock()
    lacking = Customer.objects.filter(kind=CustomerKind.SIGNED_IN).exclude(pk__in=Contact.objects.values("pk"))
    drawn = [contact for key in lacking.order_by("pk").values_list("pk", flat=True) if (contact := invented(key))]
    new = [replace(each, has_browser=each.has_browser and bool(push_service)) for each in _never_erased(drawn)]
    contacts = ContactBook.of([each.customer for each in new], emails=[each.email for each in new], now=now)
    for each in new:
        contacts.set_fields(each.customer, {"language": each.language, "time_zone": each.time_zone})
        contacts.set_email(each.customer, each.email, vouched=each.state != ConsentState.ASKED)
    contacts.save()
    if push_service:
        invent_browsers([each.customer for each in new if each.has_browser], push_service=push_service, now=now)
    ledger.record([statement for each in new for statement in each.statements(now=now)])
    return len(new)


def _never_erased(drawn: Sequence[InventedContact]) -> list[InventedContact]:
    """The contacts whose address nobody had erased: only its hash is left of such a one."""
    erased = Suppression.objects.filter(channel=Channel.EMAIL, reason=SuppressionReason.ERASED)
    digests = {bytes(digest) for digest in erased.values_list("digest", flat=True)}
    return [each for each in drawn if digest_of(Channel.EMAIL, {"email": each.email}) not in digests]
