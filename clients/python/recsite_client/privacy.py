"""What people may ask of the shop: calls for their export and erasure, and what Recsite answers, as the JSON is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict
from urllib.parse import quote

from recsite_client.problems import UnsendableError

PurposeState: TypeAlias = Literal["given", "refused", "withdrawn"]
RequestState: TypeAlias = Literal["received", "held", "running", "waiting_for_run", "done", "failed"]


class ErasureWish(TypedDict, total=False):
    """Who is to be erased: ``user_id``, ``anonymous_ids``, or both."""

    user_id: str
    anonymous_ids: Sequence[str]
    mode: Literal["forget", "block"]
    export_first: bool
    lang: Literal["en", "zh-hans"]
    reference: str


class PurposeWish(TypedDict, total=False):
    """What a customer said of a purpose; a yes to messages goes with their contact."""

    user_id: str
    purpose: Literal["personalise", "measure", "push"]
    state: PurposeState
    at: str
    resume: bool
    proof: Mapping[str, str]


class AllowedPurposes(TypedDict):
    """What holds for each purpose: whether it is allowed, and what was said last (state, at, source), or null."""

    user_id: str
    purposes: dict[str, Any]


class TakenRequest(TypedDict):
    request_id: str
    status_url: str
    state: RequestState


class TakenRequests(TypedDict):
    """The requests of a batch, in its order."""

    requests: list[TakenRequest]


class RequestProgress(TypedDict):
    """How far a request got; ``holders`` has for each its found, deleted, changed, kept, why and left."""

    request_id: str
    kind: Literal["export", "erase"]
    state: RequestState
    reference: str | None
    mode: Literal["forget", "block"] | None
    received_at: str
    due_at: str | None
    unknown_at: str | None
    erased_at: str | None
    closed_at: str | None
    holders: dict[str, Any]
    problem: str | None
    download_until: str | None
    live_log: Literal["begun", "rewritten", "absent", "refused"] | None
    same_as: str | None


class CustomerHoldings(AllowedPurposes):
    """How much each holder has of a customer, and what they allow."""

    holders: dict[str, int]


class OwnPageLink(TypedDict):
    """Web address of the page of a customer's own data: for them alone, as whoever has it can have them erased."""

    url: str
    valid_until: str


class SignedReceipt(TypedDict):
    """A receipt as ``manage.py verify_receipt`` reads it."""

    document: dict[str, Any]
    key: str
    signature: str


class ReceiptsAnswer(TypedDict):
    receipts: list[SignedReceipt]


class PrivacyCalls:
    """Calls of ``Client`` for what people may ask of the shop; the key needs ``privacy:write``.

    With a ``reference`` a request is sent again for ``patience`` seconds, as the same one is the same request.
    """

    _send: Callable[..., Any]
    _ask: Callable[..., Any]

    def export_user(
        self,
        user_id: str | None = None,
        *,
        anonymous_ids: Sequence[str] = (),
        lang: Literal["en", "zh-hans"] = "en",
        reference: str | None = None,
    ) -> TakenRequest:
        """Ask for a file of all that is held about somebody; it is downloaded from ``…/download/`` once it is done."""
        named: dict[str, Any] = {} if user_id is None else {"user_id": user_id}
        body = {**named, "anonymous_ids": list(anonymous_ids), "lang": lang}
        given = {} if reference is None else {"reference": reference}
        address = "/users/export/"
        answer: TakenRequest = self._send("request_id", "POST", address, body | given, repeatable=bool(given))
        return answer

    def erase_user(self, **wish: Any) -> TakenRequest:
        """Ask for the erasure of one person, by the fields of ``ErasureWish``."""
        repeatable = wish.get("reference") is not None
        answer: TakenRequest = self._send("request_id", "POST", "/users/erase/", wish, repeatable=repeatable)
        return answer

    def erase_users(self, erasures: Iterable[ErasureWish]) -> TakenRequests:
        """Ask for the erasure of 1 to 1000 people; all are taken, or none is."""
        wishes = list(erasures)
        repeatable = all("reference" in wish for wish in wishes)
        body = {"erasures": wishes}
        answer: TakenRequests = self._send("requests", "POST", "/users/erase/batch/", body, repeatable=repeatable)
        return answer

    def say_purpose(self, **said: Any) -> AllowedPurposes:
        """Say what a customer allows or not, by the fields of ``PurposeWish``; what holds now."""
        answer: AllowedPurposes = self._send("purposes", "POST", "/users/purposes/", said)
        return answer

    def held_about(self, user_id: str) -> CustomerHoldings:
        """How much is held about a customer, in numbers."""
        answer: CustomerHoldings = self._ask("holders", f"/users/{_part(user_id)}/privacy/")
        return answer

    def privacy_link(
        self, user_id: str, *, minutes: int = 15, lang: Literal["en", "zh-hans"] | None = None
    ) -> OwnPageLink:
        """A link to *My data* of a customer who is signed in with you: lead them there, and keep it nowhere."""
        body: dict[str, Any] = {"user_id": user_id, "minutes": minutes} | ({} if lang is None else {"lang": lang})
        answer: OwnPageLink = self._send("url", "POST", "/users/privacy-link/", body, repeatable=True)
        return answer

    def privacy_request(self, request_id: str) -> RequestProgress:
        """How far a request got."""
        answer: RequestProgress = self._ask("request_id", f"/privacy/requests/{_part(request_id)}/")
        return answer

    def receipts(self, request_id: str) -> ReceiptsAnswer:
        """The receipts of an erasure; ProblemError (409) until the first is there."""
        answer: ReceiptsAnswer = self._ask("receipts", f"/privacy/requests/{_part(request_id)}/receipt/")
        return answer


def _part(name: str) -> str:
    try:
        return quote(name, safe="")
    except (TypeError, ValueError) as error:
        raise UnsendableError(f"{name!r} cannot be a part of an address") from error
