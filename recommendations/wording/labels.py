"""Labels of the codes of ``terms.py`` on a page, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from recommendations.event_types import EventName
from recommendations.terms import (
    ApprovalState,
    AudienceKind,
    BlendName,
    CapPer,
    CatalogueScope,
    CustomerKind,
    Cut,
    Fallback,
    GateOutcome,
    JudgementKind,
    MeasuredKind,
    Operator,
    QuarantineState,
    Repeat,
    Role,
    RuleAction,
    RuleStatus,
    RunStatus,
    Scope,
    Side,
    Source,
    Stage,
    SuspicionRule,
    Task,
    Trust,
    Variants,
    VersionStatus,
    Way,
    WeightsStatus,
)
from recommendations.wording.instance_labels import instance_label

type Choices = list[tuple[str, Promise]]
type NumberedChoices = list[tuple[int, Promise]]

EVENT_NAMES: Choices = [
    (EventName.VIEW_ITEM_LIST, _("List shown")),
    (EventName.SELECT_ITEM, _("Clicked in a list")),
    (EventName.VIEW_ITEM, _("Viewed")),
    (EventName.SEARCH, _("Searched")),
    (EventName.ADD_TO_CART, _("Added to cart")),
    (EventName.REMOVE_FROM_CART, _("Removed from cart")),
    (EventName.BEGIN_CHECKOUT, _("Began checkout")),
    (EventName.PURCHASE, _("Bought")),
    (EventName.REFUND, _("Returned")),
    (EventName.ADD_TO_WISHLIST, _("Wishlisted")),
    (EventName.SHARE, _("Shared")),
    (EventName.RATE_ITEM, _("Rated")),
    (EventName.DISLIKE_ITEM, _("Disliked")),
    (EventName.FOLLOW, _("Followed")),
    (EventName.UNFOLLOW, _("Unfollowed")),
    (EventName.VIEW_HOMEPAGE, _("Viewed home page")),
    (EventName.VIEW_CART, _("Viewed cart")),
    (EventName.PLAY, _("Played")),
    (EventName.COMPLETE, _("Finished")),
    (EventName.SKIP, _("Skipped")),
    (EventName.SAVE, _("Saved")),
]
CUSTOMER_KINDS: Choices = [(CustomerKind.SIGNED_IN, _("Signed in")), (CustomerKind.ANONYMOUS, _("Anonymous"))]
STAGES: Choices = [
    (Stage.COLLECT, _("Collect")),
    (Stage.PREPROCESS, _("Preprocess")),
    (Stage.INTERESTS, _("Interests")),
    (Stage.TRAIN, _("Recommend")),
    (Stage.EVALUATE, _("Evaluate")),
    (Stage.ADJUST, _("Adjust")),
]
CUTS: Choices = [(Cut.TUNING, _("Tuning")), (Cut.TEST, _("Test")), (Cut.LIVE, _("Live"))]
RUN_STATUSES: Choices = [
    (RunStatus.QUEUED, _("Waiting")),
    (RunStatus.RUNNING, _("Running")),
    (RunStatus.SUCCEEDED, _("Finished")),
    (RunStatus.FAILED, _("Failed")),
    (RunStatus.CANCELLED, _("Cancelled")),
    (RunStatus.INTERRUPTED, _("Interrupted")),
]
VERSION_STATUSES: Choices = [
    (VersionStatus.BUILDING, _("Being built")),
    (VersionStatus.READY, _("Ready")),
    (VersionStatus.DISCARDED, _("Discarded")),
]
SUSPICION_RULES: Choices = [
    (SuspicionRule.TWINS, _("They share items that hardly anyone buys")),
    (SuspicionRule.RUSH, _("A sudden rush")),
    (SuspicionRule.PACE, _("They act like clockwork")),
    (SuspicionRule.STAFF, _("Set aside by staff")),
]
QUARANTINE_STATES: Choices = [
    (QuarantineState.ASIDE, _("Set aside")),
    (QuarantineState.RESTORED, _("Restored")),
    (QuarantineState.DELETED, _("Deleted")),
]
BLENDS: Choices = [
    (BlendName.HOME, _("For you")),
    (BlendName.DISCOVER, _("Discover")),
    (BlendName.ITEM, _("Similar items")),
    (BlendName.CART, _("Completes the basket")),
    (BlendName.SESSION, _("Session")),
]
PLACEMENTS: Mapping[str, Promise] = {
    "home": _("For you"),
    "discover": _("Discover"),
    "buy_again": _("Buy again"),
    "item": _("Similar items"),
    "also_bought": _("Often bought together"),
    "cart": _("Completes the basket"),
    "trending": _("Trending"),
    "category": _("Best of the category"),
    "search": _("Search results"),
    "new": _("New in the shop"),
    **dict.fromkeys(("following", "new_from_followed"), _("New from what they follow")),
    "continue": _("Continue"),
    "email": _("E-mail"),
    "web_push": _("Browser notification"),
    "webhook": _("Webhook"),
    "on_repeat": _("On repeat"),
    "radio": _("Radio"),
}
"""Labels of the placements that ship; a shop's own are called by their code."""
SHOP_PAGES: Mapping[str, Promise] = {
    "home": _("Home page"),
    "item": _("Item page"),
    "cart": _("Basket"),
    "category": _("Category page"),
    "search": _("Search page"),
    "thanks": _("After the order"),
}
"""Labels of the pages that ship; a shop's own are called by their code."""
TASKS: Choices = [(Task.HOME, _("Next purchases")), (Task.DISCOVER, _("First-time purchases"))]
REPEATS: Choices = [
    (Repeat.ALLOW, _("Allowed")),
    (Repeat.EXCLUDE, _("Left out")),
    (Repeat.ONLY, _("Only these")),
]
VARIANTS: Choices = [
    (Variants.ONE, _("One tile per product")),
    (Variants.EACH, _("A tile for each variant")),
]
CATALOGUE_SCOPES: Choices = [
    (CatalogueScope.WHOLE, _("All of it")),
    (CatalogueScope.CATEGORY, _("A category")),
    (CatalogueScope.FOUND, _("What a search found")),
    (CatalogueScope.NEWEST, _("The newest items")),
    (CatalogueScope.FOLLOWED, _("What the customer follows")),
    (CatalogueScope.BEGUN, _("What the customer has begun")),
]
WEIGHTS_STATUSES: Choices = [
    (WeightsStatus.DRAFT, _("Draft")),
    (WeightsStatus.PROPOSED, _("Proposed")),
    (WeightsStatus.PUBLISHED, _("Published")),
]
RULE_ACTIONS: Choices = [
    (RuleAction.EXCLUDE, _("Exclude")),
    (RuleAction.INCLUDE_ONLY, _("Include only")),
    (RuleAction.PIN, _("Pin")),
    (RuleAction.BOOST, _("Boost or bury")),
    (RuleAction.CAP, _("Cap")),
    (RuleAction.MINIMUM_SHARE, _("Minimum share")),
]
CAPS_PER: Choices = [
    (CapPer.BRAND, _("brand")),
    (CapPer.CATEGORY, _("category")),
    (CapPer.ALL, _("all together")),
]
RULE_STATUSES: Choices = [
    (RuleStatus.DRAFT, _("Draft")),
    (RuleStatus.CHANGED, _("Live, with changes")),
    (RuleStatus.SCHEDULED, _("Scheduled")),
    (RuleStatus.LIVE, _("Live")),
    (RuleStatus.EXPIRED, _("Expired")),
    (RuleStatus.ARCHIVED, _("Archived")),
]
OPERATORS: Choices = [
    (Operator.IS, _("is")),
    (Operator.IS_NOT, _("is not")),
    (Operator.AT_LEAST, _("at least")),
    (Operator.AT_MOST, _("at most")),
]
AUDIENCE_KINDS: Choices = [
    (AudienceKind.BOUGHT, pgettext_lazy("audience", "bought")),
    (AudienceKind.VIEWED, pgettext_lazy("audience", "viewed")),
    (AudienceKind.SPENT, pgettext_lazy("audience", "spent")),
    (AudienceKind.LAST_PURCHASE, pgettext_lazy("audience", "last bought something")),
    (AudienceKind.CUSTOMER_SINCE, pgettext_lazy("audience", "came for the first time")),
    (AudienceKind.INTEREST, pgettext_lazy("audience", "is interested in")),
    (AudienceKind.SEGMENT, pgettext_lazy("audience", "is in segment")),
    (AudienceKind.PROPERTY, pgettext_lazy("audience", "your shop says")),
]
JUDGEMENTS: Choices = [
    (JudgementKind.GOOD, _("Good")),
    (JudgementKind.ODD, _("Odd")),
    (JudgementKind.WRONG, _("Wrong")),
]
APPROVAL_STATES: Choices = [
    (ApprovalState.WAITING, pgettext_lazy("approval", "Waiting for approval")),
    (ApprovalState.PUBLISHED, pgettext_lazy("approval", "Published")),
    (ApprovalState.RETURNED, pgettext_lazy("approval", "Sent back")),
    (ApprovalState.WITHDRAWN, pgettext_lazy("approval", "Withdrawn")),
]
SOURCES: Choices = [
    (Source.MODEL, _("Model")),
    (Source.SESSION, _("Session")),
    (Source.SEGMENT, _("Segment")),
    (Source.POPULAR, _("Popular items")),
    (Source.NEWEST, _("Newest items")),
    (Source.NONE, _("Nothing to show")),
]
WAYS: NumberedChoices = [
    (Way.AS_RANKED, _("As ranked")),
    (Way.SHUFFLED, _("Shuffled")),
    (Way.CARDS, _("From further down")),
]
FALLBACKS: Choices = [
    (Fallback.NO_MODEL, _("No model yet")),
    (Fallback.NOT_PERSONALISED, _("Personalisation is off")),
    (Fallback.NO_HISTORY, _("Nothing known about the customer")),
    (Fallback.NO_CONTEXT, _("No known item in view")),
    (Fallback.SILENT, _("No recommender has a suggestion")),
    (Fallback.SHORT, _("Too few candidates")),
    (Fallback.UNKNOWN_CATEGORY, _("No such category")),
    (Fallback.NOTHING_FOLLOWED, _("The customer follows nothing that has anything to show")),
    (Fallback.NOTHING_BEGUN, _("The customer has begun nothing that can be gone on with")),
    (Fallback.NO_MATCH, _("Nothing matches the search term")),
    (Fallback.NO_LIVE_STATE, _("Recent activity is unavailable")),
]
MEASURED_KINDS: Choices = [
    (MeasuredKind.HYBRID, _("Hybrid")),
    (MeasuredKind.RECOMMENDER, _("Recommender")),
    (MeasuredKind.BASELINE, _("Baseline")),
]
TRUSTS: NumberedChoices = [
    (Trust.PAGE, _("A page's")),
    (Trust.PROVEN, _("A page's, with a proof of who is signed in")),
    (Trust.SERVER, _("The shop's server")),
    (Trust.IMPORT, _("An imported file")),
]
SIDES: Choices = [
    (Side.SERVER, _("On a server")),
    (Side.PAGE, _("In a page or an app")),
]
SCOPES: Choices = [
    (Scope.EVENTS_WRITE, _("Send events")),
    (Scope.EVENTS_REPLAY, _("Send events of the demo's replay")),
    (Scope.IDENTITY_PROVE, _("Prove who is signed in")),
    (Scope.RECOMMENDATIONS_READ, _("Read recommendations")),
    (Scope.CATALOGUE_WRITE, _("Change the catalogue")),
    (Scope.CUSTOMERS_WRITE, _("Send customer properties")),
    (Scope.CONTACTS_READ, _("Read consents, and addresses with stars")),
    (Scope.CONTACTS_WRITE, _("Send addresses and consents")),
    (Scope.CAMPAIGNS_TRIGGER, _("Trigger messages of campaigns")),
    (Scope.PUSH_SUBSCRIBE, _("Subscribe browsers to notifications")),
    (Scope.PRIVACY_WRITE, _("Export, erase and part customers")),
    (Scope.METRICS_READ, _("Read metrics")),
]
ROLES: Choices = [
    (Role.VIEWER, _("Viewer")),
    (Role.MERCHANDISER, _("Merchandiser")),
    (Role.PUBLISHER, _("Publisher")),
    (Role.CATALOGUE_ADMIN, _("Catalogue admin")),
    (Role.ADMIN, _("Admin")),
]


def gate_text(gate: Mapping[str, Any]) -> str:
    """A stored result of the gate in words: what was compared, on whom, and how it ended; empty where there is none."""
    if not gate:
        return ""
    outcome, parts = gate["outcome"], {"users": f"{gate['users']:,}", "length": str(gate.get("length", 10))}
    if outcome == GateOutcome.UNMEASURED and gate["users"]:
        text = gettext("Only %(users)s of these customers bought anything in the test window: too few to compare.")
        return text % parts
    if outcome == GateOutcome.UNMEASURED:
        return gettext("No one with a history bought anything in the test window, so nothing could be compared.")
    if outcome == GateOutcome.PASSED:
        return _passed_text(gate, parts)
    if not gate["worse_than"]:
        lost = gate["earns_less"] if isinstance(gate["earns_less"], str) else "revenue"
        return gettext(
            "Earns less than what is live on %(users)s customers of the test window, first %(length)s items: %(what)s "
            "%(value)s, 95%% interval %(low)s to %(high)s."
        ) % {**parts, **_relative(gate[lost], gate[f"{lost}_reached"]), "what": str(_FIGURES[lost])}
    worst = gate["worse_than"][0]
    return gettext(
        "Worse than %(name)s on %(users)s customers of the test window, first %(length)s items: accuracy %(value)s, "
        "95%% interval %(low)s to %(high)s."
    ) % {
        **parts,
        **_relative(gate["against"][worst], gate.get("reached", {}).get(worst, 0)),
        "name": _REFERENCES.get(worst, instance_label(worst)),
    }


def _passed_text(gate: Mapping[str, Any], parts: Mapping[str, str]) -> str:
    """What passed, with its changes against live where something was."""
    told = {
        "accuracy": (gate["against"].get("live"), gate.get("reached", {}).get("live", 0)),
        "revenue": (gate.get("revenue"), gate.get("revenue_reached", 0)),
        "margin": (gate.get("margin"), gate.get("margin_reached", 0)),
    }
    changes = [
        f"{_FIGURES[name]} {_relative(difference, reached)['value']}"
        for name, (difference, reached) in told.items()
        if difference and reached
    ]
    if not changes:
        return gettext("On %(users)s customers of the test window, no worse than what it is compared with.") % parts
    return gettext(
        "On %(users)s customers of the test window, first %(length)s items: no worse than what it is compared with. "
        "Against live: %(changes)s."
    ) % {**parts, "changes": gettext(", ").join(changes)}


_FIGURES: Mapping[str, Promise] = {
    "accuracy": pgettext_lazy("in a sentence", "accuracy"),
    "revenue": pgettext_lazy("in a sentence", "revenue"),
    "margin": pgettext_lazy("in a sentence", "margin"),
}


def _relative(difference: Mapping[str, float], reached: float) -> dict[str, str]:
    """A difference and its ends in percent of what was reached; as it is where that was not kept with it."""
    ends = {key: difference[key] for key in ("value", "low", "high")}
    if not reached:
        return {key: f"{end:+.4f}" for key, end in ends.items()}
    return {key: f"{100 * end / reached:+.1f}%".replace("-", "−") for key, end in ends.items()}


_REFERENCES: Mapping[str, Promise] = {
    "live": _("what is live"),
    "recent": _("recent best sellers"),
}


def placement_label(name: str) -> str:
    return str(PLACEMENTS.get(name, name.replace("_", " ")))


def placement_quoted(name: str) -> str:
    """Label of a placement in quotation marks, for the middle of a sentence."""
    return gettext("“%(name)s”") % {"name": placement_label(name)}


def shop_page_label(name: str) -> str:
    return str(SHOP_PAGES.get(name, name.replace("_", " ")))
