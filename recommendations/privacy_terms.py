"""Codes of privacy: what somebody may ask for or refuse, how far it got, and who holds anything about people."""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Self


class RequestKind(StrEnum):
    EXPORT = "export"
    ERASE = "erase"


class EraseMode(StrEnum):
    """What becomes of an id that was erased, when it comes back."""

    FORGET = "forget"  # it is somebody new; acts from before are not taken again
    BLOCK = "block"  # its acts are counted without a customer, until the block is lifted


class RequestState(StrEnum):
    """What is said of a request; it follows from the job and from how far it got."""

    RECEIVED = "received"
    HELD = "held"  # a legal hold lasts
    RUNNING = "running"
    WAITING_FOR_RUN = "waiting_for_run"  # erased; sums that were learned with the person go with the next run
    DONE = "done"
    FAILED = "failed"


DUE = timedelta(days=30)
"""Within a month the law wants a request done."""


class ReceiptPart(StrEnum):
    """What a receipt says of an erasure."""

    ERASED = "erased"  # all holders, and the scan after them
    CLOSED = "closed"  # the run that learned without the person, and the second scan


class ReceiptMark(NamedTuple):
    """A receipt that was handed out, as the log beside the database has it: its number, and what the next one says of
    it.
    """

    number: int
    chain_hash: str

    @classmethod
    def of_line(cls, line: bytes) -> Self | None:
        """The receipt of a line of the log; None of a line that is not whole."""
        try:
            noted = json.loads(line)
            return cls(int(noted["number"]), bytes.fromhex(noted["chain_hash"]).hex())
        except (ValueError, KeyError, TypeError):
            return None


class LiveLog(StrEnum):
    """What became of Valkey's append-only file, which has old commands with keys of who was erased."""

    BEGUN = "begun"  # it is being written anew
    REWRITTEN = "rewritten"
    ABSENT = "absent"  # this Valkey keeps none
    REFUSED = "refused"  # the server does not let us, or failed at it


class HolderCode(StrEnum):
    """Places that hold something about people, in the order in which they are erased."""

    CONTACTS = "contacts"
    MESSAGES = "messages"
    AGENTS = "agents"
    EXPERIMENTS = "experiments"
    AUDIENCES = "audiences"
    SLATES = "slates"
    ANSWERS = "answers"
    INTERESTS = "interests"
    STAFF_WORK = "staff_work"
    FILES = "files"
    SOURCES = "sources"
    SNAPSHOTS = "snapshots"
    EVENTS = "events"
    LIVE = "live"
    PROCESSES = "processes"
    LEARNED = "learned"
    CUSTOMER = "customer"


class Kept(StrEnum):
    """Why a holder keeps something, as receipts say it."""

    SUMS_UNTIL_NEXT_RUN = "sums_until_next_run"
    ENTRY_OF_TRAIL = "entry_of_trail"  # who did what, when; the customer in it is "a customer who was erased"
    SUPPRESSED_ADDRESS = "suppressed_address"  # a keyed hash, so that nobody writes there again


class RetentionKind(StrEnum):
    """What is kept for as many days as the shop sets."""

    EVENTS = "events"  # by months
    EVENT_FILES = "event_files"  # months of events that the database has no more; no shorter than events
    SLATES = "slates"  # with what came of them; by months, and no longer than events
    REFUSED_ROWS = "refused_rows"
    TRAIL = "trail"
    TOMBSTONES = "tombstones"  # no shorter than events, or what was erased could come again
    RECEIPTS = "receipts"  # with the requests that are over; the newest receipt stays, or the chain would begin anew


class RetentionDays(NamedTuple):
    """Days for which a kind is kept where nobody set any, and the fewest and most that may be set."""

    usual: int
    least: int
    most: int


RETENTION: Mapping[RetentionKind, RetentionDays] = {
    RetentionKind.EVENTS: RetentionDays(730, 84, 3_650),
    RetentionKind.EVENT_FILES: RetentionDays(84, 84, 3_650),
    RetentionKind.SLATES: RetentionDays(400, 84, 3_650),
    RetentionKind.REFUSED_ROWS: RetentionDays(30, 1, 400),
    RetentionKind.TRAIL: RetentionDays(1_095, 365, 3_650),
    RetentionKind.TOMBSTONES: RetentionDays(1_095, 730, 3_650),
    RetentionKind.RECEIPTS: RetentionDays(2_190, 2_190, 3_650),  # the database deletes no younger one
}


class DataPurpose(StrEnum):
    """What is done with what somebody does, and may be refused."""

    PERSONALISE = "personalise"  # profile, training, personal answers
    MEASURE = "measure"  # to tie answers to what came of them, experiments
    PUSH = "push"  # messages; what is said of them stands in the ledger of contacts


class PurposeState(StrEnum):
    """What somebody said of a purpose."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class WordSource(StrEnum):
    """Where something was said of a purpose."""

    PAGE = "page"  # in the shop, without a proof of who said it
    SERVER = "server"  # by the shop's server, or with its proof
    IMPORT = "import"
    STAFF = "staff"
    LINK = "link"  # on a page of ours that a link of the customer opened


OWN_PURPOSES = (DataPurpose.PERSONALISE, DataPurpose.MEASURE)
"""Purposes whose words stand in the ledger of purposes; that of messages is the one of contacts."""


class WhyCode(StrEnum):
    """What a customer can do about an item that is shown to them."""

    DISLIKE = "dislike"
    OBJECT = "object"
    MY_DATA = "my_data"


class ReleaseDomain(StrEnum):
    """What a release counts the customers of: a list that is public, whoever bought what."""

    ITEMS = "items"
    TYPES = "types"  # categories that items stand in
    INTERESTS = "interests"  # first levels of the tree of categories, of which each customer has one


BOUNDS: Mapping[ReleaseDomain, Mapping[int, int]] = {
    ReleaseDomain.ITEMS: {1: 3, 4: 5},
    ReleaseDomain.TYPES: {1: 10, 4: 20},
    ReleaseDomain.INTERESTS: {1: 1, 4: 1},
}
"""Values that a customer counts for at most, by the weeks of a release: rules that never look at the data."""
LEAST_EPSILON, MOST_EPSILON = Decimal("0.1"), Decimal(10)
