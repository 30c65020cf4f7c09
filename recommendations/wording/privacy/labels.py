"""Labels of the codes of ``privacy_terms.py`` on a page, in the reader's language."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.privacy_terms import (
    DataPurpose,
    EraseMode,
    HolderCode,
    LiveLog,
    PurposeState,
    ReceiptPart,
    ReleaseDomain,
    RequestKind,
    RequestState,
    RetentionKind,
    WordSource,
)
from recommendations.wording.labels import Choices

KINDS: Choices = [
    (RequestKind.EXPORT, pgettext_lazy("privacy request", "Export")),
    (RequestKind.ERASE, pgettext_lazy("privacy request", "Erase")),
]
MODES: Choices = [
    (EraseMode.FORGET, _("Forget")),
    (EraseMode.BLOCK, _("Block")),
]
REQUEST_STATES: Choices = [
    (RequestState.RECEIVED, pgettext_lazy("privacy request", "Received")),
    (RequestState.HELD, pgettext_lazy("privacy request", "Held")),
    (RequestState.RUNNING, pgettext_lazy("privacy request", "Under way")),
    (RequestState.WAITING_FOR_RUN, pgettext_lazy("privacy request", "Erased; waits for the next run")),
    (RequestState.DONE, pgettext_lazy("privacy request", "Done")),
    (RequestState.FAILED, pgettext_lazy("privacy request", "Failed")),
]
RECEIPT_PARTS: Choices = [
    (ReceiptPart.ERASED, pgettext_lazy("receipt", "Erased everywhere")),
    (ReceiptPart.CLOSED, pgettext_lazy("receipt", "Learned without them; closed")),
]
LIVE_LOGS: Choices = [
    (LiveLog.BEGUN, pgettext_lazy("append-only file", "under way")),
    (LiveLog.REWRITTEN, pgettext_lazy("append-only file", "old commands are gone")),
    (LiveLog.ABSENT, pgettext_lazy("append-only file", "this Valkey keeps none")),
    (LiveLog.REFUSED, _("Valkey does not do it: run BGREWRITEAOF there by hand")),
]
HOLDERS: Choices = [
    (HolderCode.CONTACTS, pgettext_lazy("holder", "Addresses and consents")),
    (HolderCode.MESSAGES, pgettext_lazy("holder", "Messages")),
    (HolderCode.AGENTS, pgettext_lazy("holder", "Decisions of agents")),
    (HolderCode.EXPERIMENTS, pgettext_lazy("holder", "Experiments")),
    (HolderCode.AUDIENCES, pgettext_lazy("holder", "Audiences")),
    (HolderCode.SLATES, pgettext_lazy("holder", "Recommendation lists")),
    (HolderCode.ANSWERS, pgettext_lazy("holder", "What answers were made of")),
    (HolderCode.INTERESTS, pgettext_lazy("holder", "Interests and segments")),
    (HolderCode.STAFF_WORK, pgettext_lazy("holder", "Work of staff")),
    (HolderCode.FILES, pgettext_lazy("holder", "Files and refused rows")),
    (HolderCode.SOURCES, pgettext_lazy("holder", "What is set aside")),
    (HolderCode.SNAPSHOTS, pgettext_lazy("holder", "Files of events")),
    (HolderCode.EVENTS, pgettext_lazy("holder", "Events")),
    (HolderCode.LIVE, pgettext_lazy("holder", "Recent acts")),
    (HolderCode.PROCESSES, pgettext_lazy("holder", "Memory of running programs")),
    (HolderCode.LEARNED, pgettext_lazy("holder", "What models learned")),
    (HolderCode.CUSTOMER, pgettext_lazy("holder", "Customer record")),
]
RETENTION_KINDS: Choices = [
    (RetentionKind.EVENTS, pgettext_lazy("retention", "Events")),
    (RetentionKind.EVENT_FILES, pgettext_lazy("retention", "Files of past events")),
    (RetentionKind.SLATES, pgettext_lazy("retention", "Recommendation lists")),
    (RetentionKind.REFUSED_ROWS, pgettext_lazy("retention", "Refused rows")),
    (RetentionKind.TRAIL, pgettext_lazy("retention", "Audit trail")),
    (RetentionKind.TOMBSTONES, pgettext_lazy("retention", "Erased ids")),
    (RetentionKind.RECEIPTS, pgettext_lazy("retention", "Receipts and requests")),
]
PURPOSES: Choices = [
    (DataPurpose.PERSONALISE, pgettext_lazy("purpose of data", "Personalise")),
    (DataPurpose.MEASURE, pgettext_lazy("purpose of data", "Measure")),
    (DataPurpose.PUSH, pgettext_lazy("purpose of data", "Messages")),
]
PURPOSE_NOTES = {
    DataPurpose.PERSONALISE: _("lists of their own, and models learn from what they do"),
    DataPurpose.MEASURE: _("what they do is tied to the list that led to it"),
}
PURPOSE_STATES: Choices = [
    (PurposeState.GIVEN, pgettext_lazy("consent", "Given")),
    (PurposeState.REFUSED, pgettext_lazy("consent", "Refused")),
    (PurposeState.WITHDRAWN, pgettext_lazy("consent", "Withdrawn")),
]
WORD_SOURCES: Choices = [
    (WordSource.PAGE, _("A page of the shop")),
    (WordSource.SERVER, _("The shop's server")),
    (WordSource.IMPORT, _("An imported file")),
    (WordSource.STAFF, _("Staff")),
    (WordSource.LINK, _("The customer's own link")),
]
RELEASE_DOMAINS: Choices = [
    (ReleaseDomain.ITEMS, pgettext_lazy("release", "Items")),
    (ReleaseDomain.TYPES, pgettext_lazy("release", "Product types")),
    (ReleaseDomain.INTERESTS, pgettext_lazy("release", "Main interests")),
]
