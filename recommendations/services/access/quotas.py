"""Quotas: how much a key may send, how many new people it may bring, and how much and often a page's key each address.

A key in a page is everybody's. Whoever invents events with it reaches a limit of their own address before that of the
key, and people whom nobody knew are added no faster than ten times what is usual; beyond it their events are counted
without a name, and whoever is known goes on as ever. The demo's replay has no quotas.
"""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.utils.crypto import salted_hmac

from recommendations.services.access.keys import KnownKey, rates
from recommendations.services.access.rates import HOUR, Rate, RateLimiter
from recommendations.store.events.source_hours import UsualNewcomers
from recommendations.store.live.counters import Counted, counters
from recommendations.store.live.source_counts import SourceCount, source_counters
from recommendations.store.live.valkey import valkey
from recommendations.store.process_held import ProcessHeld
from recommendations.terms import Scope, Side

LINES = {Side.SERVER: 60_000, Side.PAGE: 6_000}  # a minute
PEOPLE = 600  # new ones an hour by a key in a page, where that is more than ``TIMES`` what is usual
TIMES = 10
ADDRESS_LINES = 600  # a minute; this and the next of one address that uses a key in a page
ADDRESS_BYTES = 4 * 1024 * 1024  # a minute
ADDRESS_QUESTIONS = 600  # a minute: recommendations that it asks for
ADDRESS_PEOPLE = 60  # new ones an hour
BROWSERS = 6_000  # an hour: subscriptions of browsers by a key in a page, of one address, and of one visitor
ADDRESS_BROWSERS = 60
VISITOR_BROWSERS = 20
NETWORK = 64  # bits of an address of IPv6 that one customer of a provider has at least


class Quota(StrEnum):
    LINES = "lines"
    ADDRESS_LINES = "address_lines"
    ADDRESS_BYTES = "address_bytes"
    ADDRESS_QUESTIONS = "address_questions"
    PEOPLE = "people"
    ADDRESS_PEOPLE = "address_people"
    BROWSERS = "browsers"
    ADDRESS_BROWSERS = "address_browsers"
    VISITOR_BROWSERS = "visitor_browsers"


class OverQuotaError(Exception):
    """A request is beyond a quota; nothing of it was stored. ``alone``: it would be at any time."""

    def __init__(self, quota: Quota, rate: Rate, *, asked: int) -> None:
        super().__init__(quota)
        self.quota, self.rate, self.asked = quota, rate, asked

    @property
    def alone(self) -> bool:
        return self.asked > self.rate.limit


@dataclass(frozen=True)
class EventQuotas:
    """Quotas of one request: of its key, and of its address."""

    key: KnownKey
    address: str
    crawls: bool = False  # by its name; of a page the visitors of a crawler are nobody
    clock: Callable[[], float] = time.time
    limiter: Callable[[], RateLimiter] = rates

    def take_bytes(self, size: int) -> None:
        """Count a body, before it is read. Raises OverQuotaError."""
        if self._is_limited and self.key.side is Side.PAGE:
            self._take(Quota.ADDRESS_BYTES, size, self._here("bytes"), limit=ADDRESS_BYTES)

    def take_lines(self, count: int) -> dict[str, Rate]:
        """Count the lines of a body; what each quota has left. Raises OverQuotaError.

        The address comes first, so that what it sends too much takes nothing from the others.
        """
        rates: dict[str, Rate] = {}
        if not self._is_limited:
            return rates
        if self.key.side is Side.PAGE:
            name = self._here("lines")
            rates[Quota.ADDRESS_LINES] = self._take(Quota.ADDRESS_LINES, count, name, limit=ADDRESS_LINES)
        own = self.key.lines_per_minute
        limit = LINES[self.key.side] if own is None else own
        rates[Quota.LINES] = self._take(Quota.LINES, count, f"{self.key.prefix}:lines", limit=limit)
        return rates

    def take_question(self) -> dict[str, Rate]:
        """Count a question for recommendations; what the quota has left. Raises OverQuotaError."""
        if self.key.side is Side.SERVER:
            return {}
        rate = self.limiter().take(self._here("questions"), limit=ADDRESS_QUESTIONS)
        if rate.wait is not None:
            raise OverQuotaError(Quota.ADDRESS_QUESTIONS, rate, asked=1)
        return {Quota.ADDRESS_QUESTIONS: rate}

    def take_browser(self, visitor: str) -> dict[str, Rate]:
        """Count a subscription of a browser, or its end; what each quota has left. Raises OverQuotaError."""
        if self.key.side is Side.SERVER:
            return {}
        limits = (
            (Quota.ADDRESS_BROWSERS, self._here("browsers"), ADDRESS_BROWSERS),
            (Quota.VISITOR_BROWSERS, f"{_digest_of_day(visitor, self.clock())}:browsers", VISITOR_BROWSERS),
            (Quota.BROWSERS, f"{self.key.prefix}:browsers", BROWSERS),
        )
        taken: dict[str, Rate] = {}
        for quota, name, limit in limits:
            taken[quota] = rate = self.limiter().take(name, limit=limit, window=HOUR)
            if rate.wait is not None:
                raise OverQuotaError(quota, rate, asked=1)
        return taken

    def newcomers(self, count: int, *, proven: bool) -> int:
        """How many of so many people whom nobody knew are added; whom the shop's server has named always are."""
        admitted = count
        if self._is_limited and self.key.side is Side.PAGE and not proven:
            count = 0 if self.crawls else count
            admitted = self._admitted(Quota.ADDRESS_PEOPLE, count, self._here("people"), limit=ADDRESS_PEOPLE)
            admitted = self._admitted(Quota.PEOPLE, admitted, f"{self.key.prefix}:people", limit=self._most_people())
        counters().add({(Counted.NEW_PEOPLE, self.key.side): admitted})
        self._note(SourceCount.NEW_PEOPLE, admitted)
        return admitted

    @property
    def _is_limited(self) -> bool:
        return Scope.EVENTS_REPLAY not in self.key.scopes

    def _take(self, quota: Quota, amount: int, name: str, *, limit: int) -> Rate:
        rate = self.limiter().take(name, amount, limit=limit)
        if rate.wait is not None:
            counters().add({(Counted.EVENTS_REFUSED, quota): 1})
            self._note(SourceCount.REFUSED, 1)
            raise OverQuotaError(quota, rate, asked=amount)
        return rate

    def _admitted(self, quota: Quota, count: int, name: str, *, limit: int) -> int:
        admitted = self.limiter().take(name, count, limit=limit, window=HOUR, partly=True).taken if count else 0
        if admitted < count:
            counters().add({(Counted.EVENTS_REFUSED, quota): count - admitted})
        return admitted

    def _most_people(self) -> int:
        """New people an hour; without Valkey each process counts for itself, so none has more than the floor."""
        floor = PEOPLE if self.key.new_people_per_hour is None else self.key.new_people_per_hour
        if self.key.new_people_per_hour is not None or not valkey().breaker:
            return floor
        return max(floor, round(TIMES * _usual().at(self.key.pk, self.clock())))

    def _note(self, sent: SourceCount, count: int) -> None:
        source_counters().note(self.key.pk, {sent: count}, at=datetime.fromtimestamp(self.clock(), UTC))

    def _here(self, what: str) -> str:
        """Name under which an address is counted."""
        return f"{_digest_of_day(_network(self.address), self.clock())}:{what}"


def _digest_of_day(text: str, now: float) -> str:
    """A keyed hash that is another on another day."""
    key = _key_of_day(settings.SECRET_KEY, int(now) // (24 * HOUR))
    return hmac.digest(key, text.encode(errors="surrogatepass"), "sha256")[:16].hex()


def _network(address: str) -> str:
    """The address, of IPv6 its network: whoever has one address of it has all of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or int(parsed) >> (128 - NETWORK))


@lru_cache(2)
def _key_of_day(secret: str, day: int) -> bytes:
    return salted_hmac(__name__, str(day), secret, algorithm="sha256").digest()


_usual = ProcessHeld(UsualNewcomers)
