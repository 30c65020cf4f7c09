"""What requests for privacy may say, and what they are answered."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from recommendations.api.recommend_bodies import Id
from recommendations.models import PrivacyRequest
from recommendations.privacy_terms import (
    DataPurpose,
    EraseMode,
    HolderCode,
    Kept,
    LiveLog,
    PurposeState,
    RequestKind,
    RequestState,
    WordSource,
)
from recommendations.services.privacy.purposes import PurposeStanding
from recommendations.services.privacy.requests import MOST_AT_ONCE, MOST_IDS

STATUS_URL = "/api/v1/privacy/requests/{pk}/"
REFERENCE = (
    "Your own number of this request, at most 128 characters, not an id of the customer: it stands in the receipt. The "
    "same one again is the same request."
)
MODE = (
    "What becomes of the id when it comes back: `forget`: it is somebody new, and what happened before is not taken "
    "again; `block`: what it does counts without a customer, until staff lift the block."
)
RESUME = (
    "With a yes after a no, and only with a proof: what was before the no may be learned from again. Otherwise it "
    "stays out for good."
)
LIVE_LOG = (
    "What became of Valkey's append-only file, which has old commands with keys of the person, once the request is "
    "closed: `begun`, `rewritten`, `absent` (this Valkey keeps none) or `refused`; null: not yet."
)
SAME_AS = (
    "`request_id` of an erasure of the same person that began before this one: this one goes on once that one found "
    "nothing any more, and its receipts name it; null: there was none."
)

type AnonymousIds = Annotated[list[Id], Meta(max_length=MOST_IDS)]
type Reference = Annotated[str, Meta(min_length=1, max_length=128, description=REFERENCE)]


class ExportBody(Struct, forbid_unknown_fields=True):
    """Whose data is to be exported: at least one id."""

    user_id: Id | None = None
    anonymous_ids: AnonymousIds = []
    lang: Annotated[Literal["en", "zh-hans"], Meta(description="Of the text in the file.")] = "en"
    reference: Reference | None = None


class EraseBody(ExportBody, forbid_unknown_fields=True):
    """Who is to be erased: at least one id."""

    mode: Annotated[str, Meta(description=MODE, extra_json_schema={"enum": list(EraseMode)})] = EraseMode.FORGET
    export_first: Annotated[bool, Meta(description="Write a file of all that is held before it is erased.")] = False


class EraseBatch(Struct, forbid_unknown_fields=True):
    """People who are to be erased; all are taken or none is."""

    erasures: Annotated[list[EraseBody], Meta(min_length=1, max_length=MOST_AT_ONCE)]


class RequestTaken(Struct):
    request_id: str
    status_url: str
    state: RequestState


class RequestsTaken(Struct):
    requests: Annotated[list[RequestTaken], Meta(description="In the order of the batch.")]


class HolderDone(Struct, rename={"number": "found"}):
    """What a holder had, and what became of it."""

    number: int
    deleted: int = 0
    changed: int = 0
    kept: int = 0
    why: Annotated[Kept | None, Meta(description="Why something is kept; null: nothing is.")] = None
    left: Annotated[int, Meta(description="What the last scan found.")] = 0


class PrivacyStatus(Struct):
    """How far a request got."""

    request_id: str
    kind: RequestKind
    state: RequestState
    reference: str | None
    mode: Annotated[EraseMode | None, Meta(description="null for an export.")]
    received_at: datetime
    due_at: Annotated[datetime | None, Meta(description="null while a legal hold lasts: a month begins when it ends.")]
    unknown_at: Annotated[datetime | None, Meta(description="Since when no answer knows the person.")]
    erased_at: Annotated[datetime | None, Meta(description="When the first scan found nothing any more.")]
    closed_at: datetime | None
    holders: Annotated[dict[HolderCode, HolderDone], Meta(description="By holder, once it has done its part.")]
    problem: Annotated[str | None, Meta(description="Why it failed; it is tried again every five minutes.")]
    download_until: Annotated[datetime | None, Meta(description="Until when there is a file to download.")]
    live_log: Annotated[LiveLog | None, Meta(description=LIVE_LOG)]
    same_as: Annotated[str | None, Meta(description=SAME_AS)]


class PurposeBody(Struct, forbid_unknown_fields=True):
    """What a customer said of what is done with what they do."""

    user_id: Id
    purpose: DataPurpose
    state: PurposeState
    at: Annotated[datetime, Meta(tz=True, description="When they said so; absent: now.")] | None = None
    resume: Annotated[bool, Meta(description=RESUME)] = False
    proof: Annotated[
        dict[str, str], Meta(description="text_version, language, form, reference: whatever proves it to you.")
    ] = {}


class PurposeHeld(Struct):
    """What holds for a purpose. Without words nothing was ever said of it."""

    allowed: bool
    state: Annotated[PurposeState | None, Meta(description="What was said last.")]
    at: datetime | None
    source: Annotated[WordSource | None, Meta(description="Where; of messages it stands with the contact.")]


class PurposesHeld(Struct):
    """What holds for each purpose."""

    user_id: Id
    purposes: dict[DataPurpose, PurposeHeld]


class HeldAbout(PurposesHeld):
    """How many things each holder has of a person, and what they allow."""

    holders: dict[HolderCode, int]


def purposes_held(standings: Iterable[PurposeStanding]) -> dict[DataPurpose, PurposeHeld]:
    return {each.purpose: PurposeHeld(each.allowed, each.state, each.at, each.source) for each in standings}


class ReceiptGiven(Struct):
    """A receipt as `manage.py verify_receipt` reads it."""

    document: dict[str, Any]
    key: Annotated[str, Meta(description="Name of the public key in `/.well-known/recsite-receipts.json`.")]
    signature: Annotated[str, Meta(description="Ed25519 over the canonical JSON of the document, in base64url.")]


class ReceiptsGiven(Struct):
    receipts: list[ReceiptGiven]


def taken(request: PrivacyRequest) -> RequestTaken:
    return RequestTaken(str(request.pk), STATUS_URL.format(pk=request.pk), request.state)


def status_of(request: PrivacyRequest) -> PrivacyStatus:
    return PrivacyStatus(
        request_id=str(request.pk),
        kind=RequestKind(request.kind),
        state=request.state,
        reference=request.reference,
        mode=EraseMode(request.mode) if request.kind == RequestKind.ERASE else None,
        received_at=request.created_at,
        due_at=None if request.state == RequestState.HELD else request.due_at,
        unknown_at=request.unknown_at,
        erased_at=request.scanned_at,
        closed_at=request.closed_at,
        holders={HolderCode(code): _done(entry) for code, entry in request.counts.items() if "begun" not in entry},
        problem=request.message or None,
        download_until=request.file_until if request.file else None,
        live_log=LiveLog(request.options["live_log"]) if "live_log" in request.options else None,
        same_as=request.options.get("same_as"),
    )


def _done(entry: dict[str, Any]) -> HolderDone:
    done = {name: entry[name] for name in ("deleted", "changed", "kept", "left") if name in entry}
    return HolderDone(entry["found"], why=Kept(entry["why"]) if entry.get("why") else None, **done)
