"""``Client``: one method for each thing that the API does."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from recsite_client.agents import AgentsAnswer, PausedAgent
from recsite_client.answers import (
    BatchAnswer,
    ContactsAnswer,
    ContactState,
    CustomerMessages,
    CustomerVerdict,
    ErasureReceipt,
    EventsAnswer,
    ExperimentAnswer,
    ExperimentsAnswer,
    IdentityAnswer,
    Interests,
    ItemsAnswer,
    ItemVerdict,
    MergeAnswer,
    PageRecommendations,
    Recommendations,
    RemadeAnswer,
    StoredAnswer,
    StoredContact,
    TriggerAnswer,
)
from recsite_client.batches import joined, parts_of
from recsite_client.bodies import (
    AlikeWish,
    BatchUser,
    BatchWish,
    BesideWish,
    ContactEntry,
    ContactFields,
    Event,
    Item,
    ItemFields,
    PageWish,
    Wish,
    encoded,
)
from recsite_client.breaker import CircuitBreaker
from recsite_client.hints import Self, Unpack
from recsite_client.likeness import AlikeAnswer
from recsite_client.privacy import PrivacyCalls
from recsite_client.problems import SettingError, UnsendableError
from recsite_client.taste import StatedTasteAnswer, TasteAnswer, WithdrawnTasteAnswer
from recsite_client.transport import Transport

API = "/api/v1"
AGENT = "recsite-client/0.3"
WRITE_TIMEOUT = 10.0  # seconds of one try
BATCH_TIMEOUT = 60.0  # the same of a batch of recommendations, which waits for others
LONGEST_QUERY = 4_000  # characters; a longer question goes as a body
IN_QUERY = {"item_ids": "item_id", "categories": "category", "exclude_item_ids": "exclude_item_id"}


class Client(PrivacyCalls):
    """Recsite behind ``url``; threads may share it, and connections stay open.

    ``timeout``: seconds that a page waits for recommendations, from the connection to the last byte. Nothing is asked
    twice, and after five failures in a row the next questions fail at once for two seconds; then one of them is asked,
    and the others as soon as it has an answer. So a shop never waits for a Recsite that is away. ``patience``: seconds
    for which events and changes of the catalogue are sent again, with the same bytes, while Recsite is unreachable or
    busy; what came before is a duplicate.

    Every method returns what Recsite answered with 2xx, or raises a RecsiteError: ProblemError where Recsite says no,
    UnreachableError where it does not answer, MisdirectedError where something else does, UnsendableError where what
    was to be sent cannot be. The client itself raises SettingError for a url, a key or a time that is none.
    """

    def __init__(self, url: str, key: str, *, timeout: float = 0.5, patience: float = 30.0) -> None:
        if key is None or (isinstance(key, str) and not key.strip()):
            raise SettingError("The key is empty: what holds it, such as RECSITE_KEY, is not set.")
        if not (isinstance(key, str) and key.isascii() and key.isprintable()):
            raise SettingError("The key has characters that no key has; is there a line end in it?")
        if not (_is_time(timeout) and timeout > 0 and _is_time(patience)):
            raise SettingError("timeout and patience are seconds, and timeout is more than 0")
        headers = {"Authorization": f"Api-Key {key}", "Accept": "application/json", "User-Agent": AGENT}
        self.timeout, self.patience = timeout, patience
        self._transport = Transport(url, headers)
        self._breaker = CircuitBreaker()

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # --- events in

    def send_events(self, events: Iterable[Event]) -> EventsAnswer:
        """Send 1 to 1000 events (``new_event`` makes one). ProblemError where every one was rejected.

        They are sent again only where each has an ``event_id`` and a ``timestamp``, by which Recsite knows it again.
        """
        rows = list(events)
        repeatable = all("event_id" in row and "timestamp" in row for row in rows)
        answer: EventsAnswer = self._send("results", "POST", "/events/", {"events": rows}, repeatable=repeatable)
        return answer

    def prove(self, *, user_id: str, anonymous_id: str | None = None, seconds: int | None = None) -> IdentityAnswer:
        """Get the proof that lets a page say who is signed in; it holds for these two ids, twelve hours or ``seconds``.

        Keep it with the session, and write it into the pages: ``recsite.init({user_id, anonymous_id, proof})``.
        """
        given = {"user_id": user_id, "anonymous_id": anonymous_id, "seconds": seconds}
        body = {name: value for name, value in given.items() if value is not None}
        answer: IdentityAnswer = self._send("proof", "POST", "/identity/", body)
        return answer

    def merge_users(self, *, anonymous_id: str, user_id: str, undo: bool = False) -> MergeAnswer:
        """Merge two ids: what the visitor did counts for the customer from now on, and with ``undo`` no more.

        Events that carry both ids do the same. ProblemError 409 where the visitor is another customer; 403 where the
        key that parts two lacks ``privacy:write``.
        """
        body = {"anonymous_id": anonymous_id, "user_id": user_id, "undo": undo}
        answer: MergeAnswer = self._send("verdict", "POST", "/users/merge/", body)
        return answer

    def change_customer(self, user_id: str, *, properties: Mapping[str, str | float | bool | None]) -> CustomerVerdict:
        """Say what a customer is like, for audiences: a city, a loyalty level. None deletes a property."""
        verdict: CustomerVerdict = self._send(
            "verdict", "PATCH", f"/users/{_part(user_id)}/", {"properties": dict(properties)}
        )
        return verdict

    def state_taste(
        self, user_id: str, *, categories: Sequence[str] = (), item_ids: Sequence[str] = (), tags: Sequence[str] = ()
    ) -> StatedTasteAnswer:
        """Say what a customer told you that they like, in the place of what they said before.

        Their next recommendations are made of it. ``unknown`` names what the catalogue does not know; ProblemError 400
        where it knows nothing of all that.
        """
        told = {"categories": categories, "item_ids": item_ids, "tags": tags}
        body = {name: list(values) for name, values in told.items() if values}
        answer: StatedTasteAnswer = self._send("categories", "POST", f"/users/{_part(user_id)}/taste/", body)
        return answer

    def taste(self, user_id: str) -> TasteAnswer:
        """What a customer said they like, as it is kept."""
        answer: TasteAnswer = self._ask("categories", f"/users/{_part(user_id)}/taste/")
        return answer

    def withdraw_taste(self, user_id: str) -> WithdrawnTasteAnswer:
        """Forget what a customer said they like."""
        answer: WithdrawnTasteAnswer = self._send("verdict", "DELETE", f"/users/{_part(user_id)}/taste/")
        return answer

    # --- how customers may be reached, with a key that may send or read contacts

    def contact(self, user_id: str) -> ContactState:
        """Addresses of a customer, with stars, and what they said yes to. ProblemError 404 where nothing is known."""
        answer: ContactState = self._send("addresses", "GET", f"/contacts/{_part(user_id)}/")
        return answer

    def put_contact(self, user_id: str, **contact: Unpack[ContactFields]) -> StoredContact:
        """Set the whole contact: an address that is not given is taken away. Statements of consent are only added."""
        answer: StoredContact = self._send("verdict", "PUT", f"/contacts/{_part(user_id)}/", contact)
        return answer

    def patch_contact(self, user_id: str, **contact: Unpack[ContactFields]) -> StoredContact:
        """Change some fields of a contact, or add statements of consent."""
        answer: StoredContact = self._send("verdict", "PATCH", f"/contacts/{_part(user_id)}/", contact)
        return answer

    def contacts(self, contacts: Iterable[ContactEntry]) -> ContactsAnswer:
        """Send changes of 1 to 1000 contacts. ProblemError where every one was rejected."""
        answer: ContactsAnswer = self._send("results", "POST", "/contacts/batch/", {"contacts": list(contacts)})
        return answer

    def erase_contact(self, user_id: str) -> ErasureReceipt:
        """Erase addresses and consents of a customer; a later import of the address writes to nobody.

        ProblemError 404 where nothing is known. It is not sent again after an answer that was lost: a second one has
        no receipt.
        """
        receipt: ErasureReceipt = self._send("statements", "DELETE", f"/contacts/{_part(user_id)}/", repeatable=False)
        return receipt

    # --- messages of campaigns

    def trigger(self, campaign: str, *, user_id: str, key: str, item_ids: Iterable[str] = ()) -> TriggerAnswer:
        """Say that something happened to a customer which a live campaign (by its short name) is for.

        The same key again, with the same items, has the same answer. ProblemError 409 with ``code`` in its members
        where the campaign sends nothing now, has another trigger, or the key was sent with other items.
        """
        body = {"user_id": user_id, "key": key, "item_ids": list(item_ids)}
        answer: TriggerAnswer = self._send("verdict", "POST", f"/campaigns/{_part(campaign)}/trigger/", body)
        return answer

    def messages(self, user_id: str, *, n: int | None = None, before: str | None = None) -> CustomerMessages:
        """What a customer was sent, the newest first; ``before`` is ``next`` of the page before."""
        query = urlencode({name: value for name, value in (("n", n), ("before", before)) if value is not None})
        answer: CustomerMessages = self._ask("messages", f"/users/{_part(user_id)}/messages/", query=query)
        return answer

    # --- recommendations out

    def recommend(self, placement: str, **wish: Unpack[Wish]) -> Recommendations:
        """What to show at a placement. ``index`` of a later event is the ``rank`` of the answer."""
        address = f"/placements/{_part(placement)}/recommend/"
        query = _query_of(wish)
        bodies = wish.keys() & {"filter", "boosts", "experiment"}
        whole = bool(bodies) or wish.get("fields") == [] or len(query) > LONGEST_QUERY
        asked: Any = {"body": wish} if whole else {"query": query}
        answer: Recommendations = self._ask("recommendation_id", address, **asked)
        return answer

    def recommend_page(self, page: str, **wish: Unpack[PageWish]) -> PageRecommendations:
        """What to show in every place of a page: one answer for each, and no item in two of them."""
        answer: PageRecommendations = self._ask("slots", f"/pages/{_part(page)}/recommend/", body=wish)
        return answer

    def similar(self, item_id: str, **wish: Unpack[BesideWish]) -> Recommendations:
        """Items like this one."""
        answer: Recommendations = self._ask(
            "recommendation_id", f"/items/{_part(item_id)}/similar/", query=_query_of(wish)
        )
        return answer

    def alike(self, item_id: str, *, by: str = "all", **wish: Unpack[AlikeWish]) -> AlikeAnswer:
        """How alike other items are to this one, by what is said of them (``text``), by who bought both (``behaviour``)
        or by all that is known; the same for everybody, and nothing of it is written down.
        """
        query = _query_of({"by": by, **wish})
        answer: AlikeAnswer = self._ask("results", f"/items/{_part(item_id)}/similar/", query=query)
        return answer

    def also_bought(self, item_id: str, **wish: Unpack[BesideWish]) -> Recommendations:
        """Items that are often bought with this one."""
        answer: Recommendations = self._ask(
            "recommendation_id", f"/items/{_part(item_id)}/also-bought/", query=_query_of(wish)
        )
        return answer

    def recommend_to_many(self, placement: str, users: Iterable[BatchUser], **wish: Unpack[BatchWish]) -> BatchAnswer:
        """What to show each of many customers, for e-mail and exports. Nobody waits for it, so it is patient.

        What is too much for one batch goes as several, one after the other. ProblemError where nobody is named rightly.
        """
        parts = list(parts_of(list(users), n=wish.get("n")))
        return joined(placement, parts, lambda part: self._batch({**wish, "placement": placement, "users": part}))

    def interests(self, user_id: str, *, n: int | None = None) -> Interests:
        """What a customer likes, and why we think so."""
        query = None if n is None else urlencode({"n": n})
        answer: Interests = self._ask("categories", f"/users/{_part(user_id)}/interests/", query=query)
        return answer

    # --- catalogue in

    def put_item(self, item_id: str, **item: Unpack[ItemFields]) -> ItemVerdict:
        """Set the whole item: what is not given is unknown from now on. An item that was retired comes back."""
        verdict: ItemVerdict = self._send("verdict", "PUT", f"/items/{_part(item_id)}/", item)
        return verdict

    def change_item(self, item_id: str, **item: Unpack[ItemFields]) -> ItemVerdict:
        """Change some fields of an item that exists."""
        verdict: ItemVerdict = self._send("verdict", "PATCH", f"/items/{_part(item_id)}/", item)
        return verdict

    def retire_item(self, item_id: str) -> None:
        """Retire an item: it is in no answer any more; its history is kept."""
        self._send(None, "DELETE", f"/items/{_part(item_id)}/")

    def put_items(self, items: Iterable[Item]) -> ItemsAnswer:
        """Set 1 to 1000 whole items. ProblemError where every one was rejected."""
        answer: ItemsAnswer = self._send("results", "POST", "/items/batch/", {"items": list(items)})
        return answer

    def change_items(self, items: Iterable[Item]) -> ItemsAnswer:
        """Change some fields of 1 to 1000 items, such as prices and stock."""
        answer: ItemsAnswer = self._send("results", "PATCH", "/items/batch/", {"items": list(items)})
        return answer

    # --- looking back, with a key that may read metrics

    def answer(self, recommendation_id: str) -> StoredAnswer:
        """An answer as it was served."""
        answer: StoredAnswer = self._send("results", "GET", f"/answers/{_part(recommendation_id)}/")
        return answer

    def answer_again(
        self, recommendation_id: str, *, weights: int | None = None, rules: int | None = None
    ) -> RemadeAnswer:
        """An answer made again, or under other weights of its blend or another book of rules, by their numbers.

        ProblemError 409 where it can no longer be made: ``members["code"]`` says why.
        """
        versions = {name: number for name, number in (("weights", weights), ("rules", rules)) if number is not None}
        answer: RemadeAnswer = self._send(
            "sameness", "POST", f"/answers/{_part(recommendation_id)}/again/", {"instead": versions}
        )
        return answer

    def experiments(self) -> ExperimentsAnswer:
        """The experiments of the shop, the newest first."""
        answer: ExperimentsAnswer = self._send("experiments", "GET", "/experiments/")
        return answer

    def experiment(self, experiment_id: str) -> ExperimentAnswer:
        """An experiment, named as answers name it (e7), and what came of it."""
        answer: ExperimentAnswer = self._send("arms", "GET", f"/experiments/{_part(experiment_id)}/")
        return answer

    def agents(self) -> AgentsAnswer:
        """The push agent: how far it may go, whose people there are, and what it learned."""
        answer: AgentsAnswer = self._send("agents", "GET", "/agents/")
        return answer

    def pause_agent(self, *, reason: str = "") -> PausedAgent:
        """Let the rule decide for everybody, with a key that may trigger campaigns.

        ProblemError 409 where the agent is off or paused already.
        """
        answer: PausedAgent = self._send("was", "POST", "/agents/pause/", {"reason": reason}, repeatable=False)
        return answer

    # --- how

    def _batch(self, body: Mapping[str, Any]) -> BatchAnswer:
        answer: BatchAnswer = self._send("results", "POST", "/recommendations/batch/", body, timeout=BATCH_TIMEOUT)
        return answer

    def _send(
        self,
        expects: str | None,
        method: str,
        address: str,
        body: Mapping[str, Any] | None = None,
        *,
        timeout: float = WRITE_TIMEOUT,
        repeatable: bool = True,
    ) -> Any:
        """Send a request and return its answer, by whose field ``expects`` it is known to be one of Recsite's."""
        return self._transport.request(
            method,
            API + address,
            None if body is None else encoded(body),
            timeout=timeout,
            patience=self.patience,
            repeatable=repeatable,
            expects=expects,
        )

    def _ask(
        self, expects: str, address: str, *, query: str | None = None, body: Mapping[str, Any] | None = None
    ) -> Any:
        path = f"{API}{address}?{query}" if query else API + address
        method, content = ("GET", None) if body is None else ("POST", encoded(body))
        with self._breaker.watched():
            return self._transport.request(method, path, content, timeout=self.timeout, expects=expects)


def _is_time(seconds: object) -> bool:
    return isinstance(seconds, int | float) and math.isfinite(seconds) and seconds >= 0


def _part(name: str) -> str:
    """A name as a part of an address. Raises UnsendableError."""
    try:
        return quote(name, safe="")
    except (TypeError, ValueError) as error:
        raise UnsendableError(f"{name!r} cannot be a part of an address") from error


def _query_of(wish: Mapping[str, Any]) -> str:
    """A request as the query of a GET, which is answered fastest. Raises UnsendableError."""
    try:
        return urlencode(list(_pairs(wish)))
    except (TypeError, ValueError, AttributeError) as error:
        raise UnsendableError(f"This cannot be asked: {error}") from error


def _pairs(wish: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    flat = {**wish, **wish.get("context", {})}
    flat.pop("context", None)
    for name, value in flat.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            texts = [",".join(value)] if name == "fields" else [str(each) for each in value]
        else:
            texts = [str(value).lower() if isinstance(value, bool) else str(value)]
        for text in texts:
            yield IN_QUERY.get(name, name), text
