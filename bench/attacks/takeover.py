"""Takeover: whether a stranger's browser can become a customer, or act in one's name. ``make bench-attacks`` runs it.

The attack, 260 tries with nothing but the key of the shop's pages: an event with both ids, also as a beacon, a merger,
a chain of aliases, a proof that is another's, cut, forged or expired, the key of a server out of a page, and acts in
the customer's name; questions for slots in the customer's name, with such proofs, at every address that recommends and
from another shop's page; and questions of a visitor who is the customer's, without a proof.

The bar: 0 tries show a visitor what a customer buys again, or change what the customer is shown; no answer to a page
without a proof says what somebody did.
"""

import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.attacks.door import Door, event, visitor
from bench.attacks.tries import Attack, told

TRIES = 20
SHORTEST = 60  # seconds that a proof holds at least
IMPERSONAL = frozenset(
    {"popular", "promoted", "new", "segment", "similar_customers", "bought_together", "bought_next", "similar_item"}
)
EVENTS, MERGE, IDENTITY = "/api/v1/events/", "/api/v1/users/merge/", "/api/v1/identity/"


def seen_by(door: Door, anonymous: str, victim: str) -> bool:
    """Whether a visitor is shown anything that the customer buys again."""
    return bool(set(door.items("buy_again", anonymous_id=anonymous)) & set(door.items("buy_again", user_id=victim)))


def by_event(door: Door, victim: str, *, proof: str | None = None, key: str = "") -> bool:
    anonymous = visitor()
    row = event("view_homepage", user_id=victim, anonymous_id=anonymous)
    door.page(EVENTS, row if proof is None else {**row, "proof": proof}, key=key)
    return seen_by(door, anonymous, victim)


def by_beacon(door: Door, victim: str) -> bool:
    anonymous = visitor()
    door.beacon(EVENTS, {"events": [event("view_homepage", user_id=victim, anonymous_id=anonymous)]})
    return seen_by(door, anonymous, victim)


def by_merger(door: Door, victim: str) -> bool:
    anonymous = visitor()
    door.page(MERGE, {"user_id": victim, "anonymous_id": anonymous})
    return seen_by(door, anonymous, victim)


def by_chain(door: Door, victim: str) -> bool:
    """A visitor becomes another one, who becomes the customer."""
    first, second = visitor(), visitor()
    door.page(MERGE, {"user_id": second, "anonymous_id": first})
    door.page(EVENTS, [event("view_homepage", user_id=victim, anonymous_id=one) for one in (second, first)])
    door.page(EVENTS, {"events": [event("view_homepage", user_id=victim, anonymous_id=one) for one in (second, first)]})
    return seen_by(door, first, victim) or seen_by(door, second, victim)


def with_anothers_proof(door: Door, victim: str) -> bool:
    """A customer who has a proof of their own names another one, or hands it to a friend's visitor."""
    other = next(one for one in door.customers if one != victim)
    answer = door.server(IDENTITY, {"user_id": other, "anonymous_id": visitor()})
    proof = answer.json().get("proof", "") if answer.ok else ""
    return by_event(door, victim, proof=proof) or by_event(door, other, proof=proof)


def with_forged_proof(door: Door, victim: str) -> bool:
    anonymous = visitor()
    answer = door.server(IDENTITY, {"user_id": victim, "anonymous_id": visitor()})
    real = answer.json().get("proof", "0.x") if answer.ok else "0.x"
    until, _, code = real.partition(".")
    forged = [
        real[:-1], real.upper(), f"{int(until, 16) + 3_600:x}.{code}", f"{until}.{secrets.token_urlsafe(32)}", "",
    ]  # fmt: skip
    for proof in forged:
        door.page(EVENTS, event("view_homepage", user_id=victim, anonymous_id=anonymous, proof=proof))
        door.page(MERGE, {"user_id": victim, "anonymous_id": anonymous, "proof": proof})
    return seen_by(door, anonymous, victim)


def with_expired_proof(door: Door, victim: str, *, expired: Mapping[str, tuple[str, str]]) -> bool:
    anonymous, proof = expired[victim]
    door.page(EVENTS, event("view_homepage", user_id=victim, anonymous_id=anonymous, proof=proof))
    return seen_by(door, anonymous, victim)


def with_a_servers_key(door: Door, victim: str) -> bool:
    """The key of the shop's server was copied into a page."""
    return by_event(door, victim, key=door.server_key)


def in_the_customers_name(door: Door, victim: str) -> bool:
    """The customer dislikes what they buy, sends it back, and buys other things."""
    before = door.items("buy_again", user_id=victim)
    acts = [event("dislike_item", user_id=victim, items=[{"item_id": item}]) for item in before[:5]]
    sent_back = [{"item_id": item, "quantity": 9} for item in before[:5]]
    acts.append(event("refund", user_id=victim, transaction_id="t", items=sent_back))
    door.page(EVENTS, {"events": acts})
    for act in acts:
        door.page(EVENTS, {**act, "anonymous_id": visitor()})
    return door.items("buy_again", user_id=victim) != before


def by_question(door: Door, victim: str, *, origin: str = "") -> bool:
    """The slots of the customer's home page, asked for by a page: under any proof, and at any address."""
    other = next(one for one in door.customers if one != victim)
    answer = door.server(IDENTITY, {"user_id": other, "anonymous_id": visitor()})
    proofs = ["", answer.json().get("proof", "") if answer.ok else "", f"{int(time.time()) + 3_600:x}.{'A' * 43}"]
    theirs = set(door.items("buy_again", user_id=victim))
    for proof in proofs:
        who = {"user_id": victim, "anonymous_id": visitor(), "proof": proof, "n": 20}
        for address in ("placements/buy_again/recommend/", "pages/home/recommend/", "recommendations/batch/"):
            body = {**who, "placement": "buy_again", "users": [{"user_id": victim}]} if "batch" in address else who
            if "pages" in address:
                body = {name: value for name, value in who.items() if name != "n"}
            told = door.page(f"/api/v1/{address}", body, origin=origin)
            if told.ok and theirs & set(bought_before(told.json())):
                return True
    return any(
        door.asked(f"/api/v1/{address}", origin=origin).ok
        for address in (f"users/{victim}/interests/", f"items/{next(iter(theirs))}/similar/?user_id={victim}")
    )


def bought_before(answer: dict[str, Any]) -> list[str]:
    """The items of an answer that are given to be bought again."""
    slots = answer.get("slots", [answer])
    return [each["item_id"] for slot in slots if slot.get("placement") == "buy_again" for each in slot["results"]]


def by_the_customers_browser(door: Door, victim: str) -> bool:
    """A visitor who is the customer asks without a proof: whether a reason says what the customer did."""
    anonymous = visitor()
    door.server(MERGE, {"user_id": victim, "anonymous_id": anonymous})
    answer = door.page("/api/v1/pages/home/recommend/", {"anonymous_id": anonymous})
    slots = answer.json()["slots"] if answer.ok else []
    results = [each for slot in slots for each in slot["results"]]
    codes = {reason["code"] for each in results for reason in each["reasons"]}
    return bool(codes - IMPERSONAL) or any("score" in each or "contributions" in each for each in results)


def attacks(data: Path, tries: int) -> Iterator[Attack]:
    door = Door.of(data)
    expired = {}
    for victim in door.customers:
        anonymous = visitor()
        answer = door.server(IDENTITY, {"user_id": victim, "anonymous_id": anonymous, "seconds": SHORTEST})
        expired[victim] = (anonymous, answer.json().get("proof", "") if answer.ok else "")
    lapsed = time.monotonic() + SHORTEST + 1
    ways: Mapping[str, Callable[[Door, str], bool]] = {
        "an event with both ids": by_event, "a merger": by_merger, "a chain of aliases": by_chain,
        "another's proof": with_anothers_proof, "a forged proof": with_forged_proof,
        "the key of a server": with_a_servers_key, "acts in the customer's name": in_the_customers_name,
        "an event with no proof": partial(by_event, proof=""), "a beacon": by_beacon,
        "a question for slots": by_question, "a visitor who is theirs": by_the_customers_browser,
        "a question from elsewhere": partial(by_question, origin="https://evil.example"),
    }  # fmt: skip
    for name, way in ways.items():
        yield Attack.tried(name, partial(way, door), victims=door.customers, times=tries)
    time.sleep(max(0.0, lapsed - time.monotonic()))
    late = partial(with_expired_proof, door, expired=expired)
    yield Attack.tried("an expired proof", late, victims=door.customers, times=tries)


if __name__ == "__main__":
    sys.exit(told(__doc__, attacks, tries=TRIES))
