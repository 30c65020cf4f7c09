"""Every name of a Valkey key begins here, with what stands under it, whether that is of people, and for how long.

No other module begins one (``tests/architecture/test_valkey_keys.py``), and after the suite every key that a test left
is one of these. Of people: ``holders.live`` exports, finds and erases it, or the holder that is named there.
"""

from datetime import timedelta
from typing import Any, Self

from recommendations.fields import PAST

MONTH, HOUR, MINUTE = timedelta(days=30), timedelta(hours=1), timedelta(minutes=1)


class KeyName(str):
    """The name of a key, or, where it ends with a colon, how the names of many begin.

    ``lasts``: from the last write on; None: until it is deleted.
    """

    __slots__ = ("holds", "lasts", "people")
    holds: str
    people: bool
    lasts: timedelta | None

    def __new__(cls, begins: str, holds: str, *, people: bool, lasts: timedelta | None) -> Self:
        name = super().__new__(cls, begins)
        name.holds, name.people, name.lasts = holds, people, lasts
        return name

    def of(self, *parts: Any) -> str:
        """The name of one of many."""
        return f"{self}{':'.join(map(str, parts))}"

    def names(self, key: str) -> bool:
        return key.startswith(self) if self.endswith(":") else key == self

    @property
    def seconds(self) -> int:
        """How long it lasts. Raises ValueError where it lasts until it is deleted."""
        if self.lasts is None:
            raise ValueError(f"{self} lasts until it is deleted")
        return int(self.lasts.total_seconds())


# What customers did lately, for the next answers, by the customer's key.
BOUGHT = KeyName("live:bought:", "items with the last purchase", people=True, lasts=PAST)
REFUNDED = KeyName("live:refunded:", "items with the last refund", people=True, lasts=PAST)
DISLIKED = KeyName("live:disliked:", "items with the last dislike", people=True, lasts=PAST)
RECENT = KeyName("live:recent:", "items and acts of interest", people=True, lasts=MONTH)
SHOWN = KeyName("live:shown:", "items that were seen, with slot and answer", people=True, lasts=MONTH)
BEGUN = KeyName("live:begun:", "items with tenths that were played", people=True, lasts=MONTH)
OBJECTED = KeyName("live:objected", "who does not want to be known or measured, by customer", people=True, lasts=None)
LIKED = KeyName("live:liked", "what customers say they like, by customer", people=True, lasts=None)
NEWCOMERS = KeyName("live:newcomer:", "the key of who just came, by pseudonym", people=True, lasts=10 * MINUTE)

# What is on its way to the record.
SLATES = KeyName("live:slates", "answers that are not in the record yet", people=True, lasts=None)
SOURCES = KeyName("sources:", "counts of an hour by API key, of people an estimate", people=False, lasts=72 * HOUR)
COUNTED = KeyName("counted", "counts of all processes", people=False, lasts=None)
LAG = KeyName("stream:lag", "messages of a stream still to be read", people=False, lasts=MINUTE)

# What processes tell one another.
CHANGED = KeyName("live:changed", "marks of change", people=False, lasts=None)
BUILT = KeyName("live:built", "that the live state knows all", people=False, lasts=None)
DOUBTED = KeyName("live:doubted", "doubts that it does", people=False, lasts=None)
RATES = KeyName("rate:", "requests in a window, by key or an address's hash of the day", people=False, lasts=25 * HOUR)
LINES = KeyName("push:line:", "pace and failures of a channel", people=False, lasts=None)
PROBE = KeyName("live:probe", "that Valkey writes", people=False, lasts=MINUTE)

# What takes long to count, and what staff look at.
ARRIVALS = KeyName("arrivals:", "the last events of a source, with their customer's key", people=True, lasts=HOUR)
ARRIVAL_LISTS = KeyName("arrivals", "names of these lists", people=False, lasts=HOUR)
ARRAYS = KeyName("kept:2:", "arrays of counts; the number goes up when they change", people=False, lasts=12 * HOUR)
PEOPLE_ARRAYS = KeyName("people:2:", "arrays that name customers", people=True, lasts=12 * HOUR)
PEOPLE_ARRAY_NAMES = KeyName("people:2", "names of these arrays", people=False, lasts=12 * HOUR)
LOOKS = KeyName("cache:1:campaign-look:", "mails as a customer would get them", people=True, lasts=10 * MINUTE)
PAGES = KeyName("cache:1:", "Django's cache: figures of pages, wrong passwords", people=False, lasts=24 * HOUR)

TASKS = KeyName("celery:", "tasks for workers, by keys of jobs", people=False, lasts=None)

EVERY = tuple(value for value in vars().values() if isinstance(value, KeyName))


def name_of(key: str) -> KeyName | None:
    """The name that is behind a key: the longest, where two begin alike; None where it is none of these."""
    return max((name for name in EVERY if name.names(key)), key=len, default=None)


def newcomer(pseudonym: bytes) -> bytes:
    """Where the key of somebody new stands for ten minutes."""
    return NEWCOMERS.encode() + pseudonym
