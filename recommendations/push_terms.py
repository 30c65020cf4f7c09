"""Codes of push: whom the shop may write to, what for, and what becomes of a message."""

from enum import StrEnum


class Channel(StrEnum):
    """How a message reaches a customer."""

    EMAIL = "email"
    WEB_PUSH = "web_push"
    WEBHOOK = "webhook"


class Purpose(StrEnum):
    """What customers say yes or no to, per channel."""

    FOR_YOU = "for_you"  # recommendations of their own
    REMINDERS = "reminders"  # left in the cart, running low, back in stock
    NEWS = "news"  # for everybody, whoever objects to personalisation included


BY_TRAITS = frozenset({Purpose.FOR_YOU, Purpose.REMINDERS})
"""Purposes of which nothing is sent to whoever objects to recommendations by what they did."""


class ConsentState(StrEnum):
    """What a statement of the ledger says."""

    ASKED = "asked"  # a confirmation mail is on its way
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


CLOSING = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN})
"""Statements after which nothing is sent; of two at the same instant such a one holds."""


class ConsentSource(StrEnum):
    """Where a statement was made."""

    API = "api"
    IMPORT = "import"
    CONFIRMED = "confirmed"  # by the button behind a confirmation mail
    PREFERENCES = "preferences"
    ONE_CLICK = "one_click"
    COMPLAINT = "complaint"
    BROWSER = "browser"  # by letting the shop notify
    STAFF = "staff"
    DEMO = "demo"


class AddressState(StrEnum):
    UNCONFIRMED = "unconfirmed"
    ACTIVE = "active"
    GONE = "gone"  # it bounces, or another one took its place


class SuppressionReason(StrEnum):
    """Why an address must not be written to, whoever's it is."""

    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBED_ALL = "unsubscribed_all"
    STAFF = "staff"
    ERASED = "erased"


class Obstacle(StrEnum):
    """What keeps mail from somebody who said yes to it, the first first."""

    NO_ADDRESS = "no_address"
    UNCONFIRMED = "unconfirmed"  # until its owner says that the address is theirs
    SILENT = "silent"
    OBJECTION = "objection"  # to recommendations by what they did
    PAUSED = "paused"


LIFTED_BY_STAFF = frozenset({SuppressionReason.STAFF, SuppressionReason.HARD_BOUNCE})
"""Reasons that staff may end. A no of the owner's ends by their own yes; a complaint and an erasure never end."""


class CampaignKind(StrEnum):
    ONCE = "once"
    RECURRING = "recurring"
    TRIGGERED = "triggered"
    IMPORTED = "imported"  # sent by another system; never by us


class Trigger(StrEnum):
    """What happened to a customer that calls for a message."""

    CART_LEFT = "cart_left"
    VIEWED = "viewed"
    BACK_IN_STOCK = "back_in_stock"
    PRICE_DROP = "price_drop"
    DUE_AGAIN = "due_again"
    NEW_FOR_YOU = "new_for_you"
    WIN_BACK = "win_back"
    SHOP = "shop"  # the shop says so


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"
    ARCHIVED = "archived"


class Priority(StrEnum):
    """Classes in which messages compete, the first first."""

    SERVICE = "service"  # the customer asked for it: never held out
    REMINDER = "reminder"
    CAMPAIGN = "campaign"


class Verdict(StrEnum):
    """Why somebody of the audience gets a message or not; the gates in their order, the first that closes counts."""

    NO_ADDRESS = "no_address"
    NO_CONSENT = "no_consent"
    SUPPRESSED = "suppressed"
    HELD_OUT = "held_out"
    CAPPED = "capped"
    DONE_ALREADY = "done_already"
    TOO_LITTLE = "too_little"
    NOT_WORTH = "not_worth"  # it costs more than it brings
    OUTRANKED = "outranked"
    WAITS = "waits"  # not today, says the agent
    OVER_BUDGET = "over_budget"
    LATER = "later"
    NOW = "now"


SENDING = frozenset({Verdict.LATER, Verdict.NOW})
WAITS_ON = frozenset({Verdict.CAPPED, Verdict.OUTRANKED, Verdict.WAITS, Verdict.OVER_BUDGET})
"""Verdicts that may turn: who got one of these stays a candidate until the campaign's message would be too late."""


ERASED = "erased_"
"""What the counts of a sending call those who have been erased since, before a verdict, ``messages`` and ``taken``."""


class OccurrenceState(StrEnum):
    """Where one sending of a campaign stands."""

    PLANNED = "planned"  # of a draft: nothing of it is sent
    DUE = "due"
    WAITING = "waiting"  # the brake: somebody has to look
    DECIDED = "decided"
    FINISHED = "finished"
    CANCELLED = "cancelled"


REAL = frozenset({OccurrenceState.DECIDED, OccurrenceState.FINISHED})
"""States of sendings that were decided for good, so that what they say has happened."""


class MessageState(StrEnum):
    """What is known of a message; “taken” is what the provider said, never that it was delivered."""

    HELD = "held"  # a shadow: it would have been sent
    DUE = "due"
    LEASED = "leased"
    HANDING = "handing"
    TAKEN = "taken"
    REFUSED = "refused"
    GONE = "gone"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    FAILED = "failed"


WAITING = frozenset({MessageState.DUE, MessageState.LEASED})
COUNTING = frozenset({*WAITING, MessageState.HANDING, MessageState.TAKEN, MessageState.UNKNOWN})
"""Messages that count against caps."""
FINAL = frozenset(MessageState) - WAITING - {MessageState.HANDING}


class MessageEventKind(StrEnum):
    """What came of a message after it was taken."""

    CLICKED = "clicked"
    MACHINE_CLICKED = "machine_clicked"  # a scanner followed the link
    UNSUBSCRIBED = "unsubscribed"
    RESUBSCRIBED = "resubscribed"  # undone
    BOUNCED = "bounced"  # for good
    SOFT_BOUNCED = "soft_bounced"  # the mailbox was full, or its server away
    COMPLAINED = "complained"
    DELIVERED = "delivered"  # the provider's own word


SETTLED_CLICK = "settled"
"""What a click is told as that is known to be a person's; before that it may turn out to be a machine's."""


class PushModelKind(StrEnum):
    """What is learned of messages."""

    DUE = "due"  # whether somebody buys an item again within a week
    RESPONSE = "response"  # whether they answer a campaign that is sent to them
    RELEVANCE = "relevance"  # whether they buy an item that a list shows
    ACTIVITY = "activity"  # at which hours they act
    FATIGUE = "fatigue"  # whether one more message makes them leave


class PushRate(StrEnum):
    """Rates of a campaign that pause it when they are too high."""

    COMPLAINTS = "complaints"
    BOUNCES = "bounces"  # for good
    UNSUBSCRIBES = "unsubscribes"
    FAILURES = "failures"  # refused or failed


class AgentStatus(StrEnum):
    """How far the agent may go; each step is a publisher's act."""

    OFF = "off"
    WATCHES = "watches"  # it decides, and nobody gets what it chose
    EXPLORES = "explores"  # half of some people's decisions are even over what is allowed
    ACTS = "acts"
    PAUSED = "paused"  # the rule decides


class AgentGroup(StrEnum):
    """Whose choice somebody gets."""

    AGENT = "agent"
    RULE = "rule"
    HOLDOUT = "holdout"
