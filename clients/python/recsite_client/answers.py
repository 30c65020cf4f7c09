"""What Recsite answers: plain dictionaries, as the JSON is. A later Recsite may add to them."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, TypedDict

from recsite_client.hints import NotRequired
from recsite_client.why import WhyRecommended


class Refusal(TypedDict):
    pointer: str
    reason: str


class EventResult(TypedDict):
    verdict: Literal["accepted", "duplicate", "ignored", "rejected"]
    event_id: NotRequired[str | None]
    pointer: NotRequired[str]
    reason: NotRequired[str]
    rejected_items: NotRequired[list[Refusal]]
    waiting_items: NotRequired[list[Refusal]]
    ignored: NotRequired[list[str]]
    why_ignored: NotRequired[list[Refusal]]


class EventsAnswer(TypedDict):
    accepted: int
    duplicates: int
    rejected: int
    results: list[EventResult]
    ignored: NotRequired[list[str]]
    ignored_events: NotRequired[int]


class IdentityAnswer(TypedDict):
    proof: str
    expires: str


class MergeAnswer(TypedDict):
    verdict: Literal["accepted"]


class CustomerVerdict(TypedDict):
    verdict: Literal["updated", "unchanged"]


Silence: TypeAlias = Literal["hard_bounce", "complaint", "unsubscribed_all", "staff", "erased"]


class ContactAddress(TypedDict):
    """An address with stars; a silent one must not be written to, whatever was said."""

    channel: Literal["email"]
    address: str
    state: Literal["unconfirmed", "active", "gone"]
    silent: bool
    silent_for: Silence | None
    confirmation_mails: int


class PurposePermission(TypedDict):
    """What holds for a channel and a purpose, since when, and where it was said."""

    channel: Literal["email"]
    purpose: Literal["for_you", "reminders", "news"]
    state: Literal["asked", "given", "refused", "withdrawn"]
    since: str
    source: str
    held_by: Literal["no_address", "unconfirmed", "silent", "objection", "paused"] | None


class ContactState(TypedDict):
    """How a customer may be reached; ``time_zone`` None: the shop's."""

    user_id: str
    language: str
    time_zone: str | None
    addresses: list[ContactAddress]
    permissions: list[PurposePermission]
    personalised: bool
    paused_until: str | None
    most_a_week: int | None
    quiet_from: str | None
    quiet_until: str | None


class StoredContact(ContactState):
    verdict: Literal["stored", "unchanged"]


class ErasureReceipt(TypedDict):
    addresses: int
    statements: int
    at: str


class ContactVerdict(TypedDict):
    verdict: Literal["stored", "unchanged", "rejected"]
    user_id: NotRequired[str | None]
    silent_for: NotRequired[Silence | None]
    pointer: NotRequired[str]
    reason: NotRequired[str]
    also: NotRequired[list[Refusal]]


class ContactsAnswer(TypedDict):
    stored: int
    unchanged: int
    rejected: int
    results: list[ContactVerdict]


Verdict: TypeAlias = Literal[
    "no_address",
    "no_consent",
    "suppressed",
    "held_out",
    "capped",
    "done_already",
    "too_little",
    "not_worth",
    "outranked",
    "waits",
    "over_budget",
    "later",
    "now",
]


MessageState: TypeAlias = Literal[
    "held", "due", "leased", "handing", "taken", "refused", "gone", "unknown", "withdrawn", "expired", "failed"
]


class DecidedOccasion(TypedDict):
    """What became of an occasion; ``state`` is that of its message, None where it has none."""

    verdict: Verdict
    state: MessageState | None
    reason: str | None
    at: str


class TriggerAnswer(TypedDict):
    """What will happen, as of the first call with its key; ``verdict`` None: the customer is in none of the audiences.

    ``decided`` is None until the occasion was looked at.
    """

    campaign: str
    user_id: str
    key: str
    item_id: str | None
    verdict: Verdict | None
    due_at: str | None
    decided: DecidedOccasion | None


class CustomerMessage(TypedDict):
    message_id: str
    campaign: str
    purpose: Literal["for_you", "reminders", "news"]
    channel: Literal["email"]
    key: str
    state: MessageState
    reason: str | None
    created_at: str
    due_at: str
    expires_at: str
    handed_at: str | None
    settled_at: str | None
    recommendation_id: str | None


class CustomerMessages(TypedDict):
    """A page; ``next`` is ``before`` of the next one, None on the last."""

    user_id: str
    messages: list[CustomerMessage]
    next: str | None


class Reason(TypedDict):
    code: str
    text: str
    evidence: Mapping[str, str | int | float]


class Product(TypedDict):
    title: str
    brand: str | None
    price: str | None
    currency: str
    image_url: str
    url: str | None
    parent_id: str | None


class Result(TypedDict):
    """A recommended item; the parts that ``fields`` did not ask for are not there."""

    item_id: str
    rank: int
    source: str
    rules: list[str]
    score: NotRequired[float]
    final: NotRequired[float]
    reasons: NotRequired[list[Reason]]
    contributions: NotRequired[Mapping[str, float]]
    product: NotRequired[Product]
    why: NotRequired[WhyRecommended]


class ArmServed(TypedDict):
    """An arm of an experiment, by letter; a is the control."""

    experiment_id: str
    variation_id: str


class Recommendations(TypedDict):
    """An answer; events that follow from it carry its ``recommendation_id``."""

    recommendation_id: str
    placement: str
    model_version: str | None
    weights_version: int | None
    rules_version: int
    experiment: ArmServed | None
    experiments: list[ArmServed]
    personalised: bool
    source: str
    fallback_reason: str | None
    results: list[Result]
    missing_item_ids: list[str]
    next_cursor: str | None
    ignored: NotRequired[list[str]]
    why_ignored: NotRequired[list[Refusal]]


class PageRecommendations(TypedDict):
    """Answers of a whole page, one for each placement on it, in order; no item stands in two of them."""

    page: str
    slots: list[Recommendations]
    ignored: NotRequired[list[str]]
    why_ignored: NotRequired[list[Refusal]]


class ProblemDetail(TypedDict):
    pointer: str
    message: str


class BatchResult(TypedDict):
    """What one customer of a batch gets: one of ``recommendation`` and ``errors``."""

    user_id: str | None
    anonymous_id: str | None
    recommendation: NotRequired[Recommendations]
    errors: NotRequired[list[ProblemDetail]]


class BatchAnswer(TypedDict):
    placement: str
    answered: int
    rejected: int
    results: list[BatchResult]


class Interest(TypedDict):
    name: str
    path: str
    share: float
    lately: float
    usual: float
    purchases: int
    other_acts: int
    last_at: str


class Segment(TypedDict):
    number: int
    name: str


class Interests(TypedDict):
    user_id: str
    known: bool
    personalised: bool
    fallback_reason: str | None
    model_version: str | None
    as_of: str | None
    segment: Segment | None
    categories: list[Interest]
    brands: list[Interest]


class ItemVerdict(TypedDict):
    verdict: Literal["created", "updated", "unchanged", "rejected"]
    item_id: NotRequired[str | None]
    pointer: NotRequired[str]
    reason: NotRequired[str]


class ItemsAnswer(TypedDict):
    created: int
    updated: int
    unchanged: int
    rejected: int
    results: list[ItemVerdict]


class StoredResult(TypedDict):
    item_id: str
    rank: int
    score: float
    propensity: float
    place: int | None


class StoredAnswer(TypedDict):
    """An answer as it was served; ``place`` is the rank of an item before this answer explored."""

    recommendation_id: str
    served_at: str
    placement: str
    model_version: str | None
    weights_version: int | None
    rules_version: int
    experiments: list[ArmServed]
    personalised: bool
    source: str
    fallback_reason: str | None
    way: Literal["as_ranked", "shuffled", "cards"]
    results: list[StoredResult]


class RemadeAnswer(TypedDict):
    """An answer made again: whether it is what was served, and the ranks where it is not."""

    recommendation_id: str
    sameness: Literal["exact", "rounding", "different"]
    results: list[StoredResult]
    differences: list[int]
    missing: list[str]


class ExperimentDecision(TypedDict):
    code: str
    text: str
    at: str | None


class ExperimentLine(TypedDict):
    experiment_id: str
    name: str
    hypothesis: str
    kind: str
    status: str
    placements: list[str]
    primary: str
    planned_days: int | None
    traffic: float
    started_at: str | None
    ended_at: str | None
    decision: ExperimentDecision | None


class ExperimentArm(TypedDict):
    variation_id: str
    name: str
    share: float
    changes: Mapping[str, Any]
    people: int | None
    published: bool


class ArmEffect(TypedDict):
    """What an arm changes: ``change`` and its interval are shares of what the control has, None: not known so far."""

    metric: str
    group: Literal["primary", "guardrail", "supporting"]
    variation_id: str
    control: float | None
    change: float | None
    low: float | None
    high: float | None
    p: float


class ExperimentAnswer(ExperimentLine):
    arms: list[ExperimentArm]
    read_at: str | None
    results: list[ArmEffect]


class ExperimentsAnswer(TypedDict):
    experiments: list[ExperimentLine]
