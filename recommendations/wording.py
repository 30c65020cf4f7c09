"""What each code of ``terms.py`` is called on a page, in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recommendations.terms import (
    Availability,
    BlendName,
    CustomerKind,
    Cut,
    EventName,
    Fallback,
    ItemKind,
    MeasuredKind,
    Repeat,
    Role,
    RunStatus,
    Scope,
    Source,
    Stage,
    Task,
    VersionStatus,
    WeightsStatus,
)

type Choices = list[tuple[str, Promise]]

EVENT_NAMES: Choices = [
    (EventName.VIEW_ITEM_LIST, _("List shown")),
    (EventName.SELECT_ITEM, _("Clicked in a list")),
    (EventName.VIEW_ITEM, _("Viewed")),
    (EventName.SEARCH, _("Searched")),
    (EventName.ADD_TO_CART, _("Put in the cart")),
    (EventName.REMOVE_FROM_CART, _("Taken out of the cart")),
    (EventName.BEGIN_CHECKOUT, _("Began checkout")),
    (EventName.PURCHASE, _("Bought")),
    (EventName.REFUND, _("Returned")),
    (EventName.ADD_TO_WISHLIST, _("Put on the wish list")),
    (EventName.SHARE, _("Shared")),
    (EventName.RATE_ITEM, _("Rated")),
    (EventName.DISLIKE_ITEM, _("Disliked")),
    (EventName.FOLLOW, _("Followed")),
    (EventName.VIEW_HOMEPAGE, _("Saw the home page")),
]
ITEM_KINDS: Choices = [(ItemKind.PRODUCT, _("Product"))]
AVAILABILITIES: Choices = [
    (Availability.IN_STOCK, _("In stock")),
    (Availability.OUT_OF_STOCK, _("Out of stock")),
    (Availability.PREORDER, _("To be pre-ordered")),
    (Availability.BACKORDER, _("On back order")),
]
CUSTOMER_KINDS: Choices = [(CustomerKind.SIGNED_IN, _("Signed in")), (CustomerKind.ANONYMOUS, _("Anonymous"))]
STAGES: Choices = [
    (Stage.COLLECT, _("Collect")),
    (Stage.PREPROCESS, _("Preprocess")),
    (Stage.INTERESTS, _("Interests")),
    (Stage.RECOMMEND, _("Recommend")),
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
BLENDS: Choices = [
    (BlendName.HOME, _("For you")),
    (BlendName.DISCOVER, _("Discover")),
    (BlendName.ITEM, _("Similar items")),
    (BlendName.CART, _("Completes the basket")),
]
TASKS: Choices = [(Task.HOME, _("Next purchases")), (Task.DISCOVER, _("First-time purchases"))]
REPEATS: Choices = [
    (Repeat.ALLOW, _("Allowed")),
    (Repeat.EXCLUDE, _("Left out")),
    (Repeat.ONLY, _("Only these")),
]
WEIGHTS_STATUSES: Choices = [
    (WeightsStatus.DRAFT, _("Draft")),
    (WeightsStatus.PROPOSED, _("Proposed")),
    (WeightsStatus.PUBLISHED, _("Published")),
]
SOURCES: Choices = [
    (Source.MODEL, _("Model")),
    (Source.SESSION, _("Session")),
    (Source.SEGMENT, _("Segment")),
    (Source.POPULAR, _("Popular items")),
    (Source.NEWEST, _("Newest items")),
    (Source.NONE, _("Nothing to show")),
]
FALLBACKS: Choices = [
    (Fallback.NO_MODEL, _("No model yet")),
    (Fallback.NOT_PERSONALISED, _("Not to be personalised")),
    (Fallback.NO_HISTORY, _("Nothing is known of the customer")),
    (Fallback.NO_CONTEXT, _("No known item in view")),
    (Fallback.SILENT, _("No recommender has anything to say")),
    (Fallback.SHORT, _("Too few candidates")),
    (Fallback.NO_LIVE_STATE, _("The latest acts are out of reach")),
]
MEASURED_KINDS: Choices = [
    (MeasuredKind.HYBRID, _("Hybrid")),
    (MeasuredKind.RECOMMENDER, _("Recommender")),
    (MeasuredKind.BASELINE, _("Baseline")),
]
SCOPES: Choices = [
    (Scope.EVENTS_WRITE, _("Send events")),
    (Scope.RECOMMENDATIONS_READ, _("Read recommendations")),
    (Scope.CATALOGUE_WRITE, _("Change the catalogue")),
    (Scope.PRIVACY_WRITE, _("Erase and export customers")),
    (Scope.METRICS_READ, _("Read metrics")),
]
ROLES: Choices = [
    (Role.VIEWER, _("Viewer")),
    (Role.MERCHANDISER, _("Merchandiser")),
    (Role.PUBLISHER, _("Publisher")),
    (Role.CATALOGUE_ADMIN, _("Catalogue admin")),
    (Role.ADMIN, _("Admin")),
]
