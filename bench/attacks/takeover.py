"""Takeover: whether a stranger's browser can become a customer, or act in one's name. ``make bench-attacks`` runs it.

The attack, 200 tries with nothing but the key of the shop's pages: an event with both ids, also as a beacon, a merger,
a chain of aliases, a proof that is another's, cut, forged or expired, the key of a server out of a page, and acts in
the customer's name.

The bar: 0 tries show a visitor what a customer buys again, or change what the customer is shown.
"""

import argparse
import json
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.attacks.door import Door, event, visitor
from bench.demo import running

TRIES = 20
SHORTEST = 60  # seconds that a proof holds at least
EVENTS, MERGE, IDENTITY = "/api/v1/events/", "/api/v1/users/merge/", "/api/v1/identity/"


@dataclass
class Attack:
    """An attack, how often it was tried, and how often it worked."""

    name: str
    tries: int = 0
    worked: int = 0


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


def run(door: Door, *, tries: int) -> list[Attack]:
    victims = door.customers
    expired = {}
    for victim in victims:
        anonymous = visitor()
        answer = door.server(IDENTITY, {"user_id": victim, "anonymous_id": anonymous, "seconds": SHORTEST})
        expired[victim] = (anonymous, answer.json().get("proof", "") if answer.ok else "")
    lapsed = time.monotonic() + SHORTEST + 1
    ways: Mapping[str, Callable[[Door, str], bool]] = {
        "an event with both ids": by_event, "a merger": by_merger, "a chain of aliases": by_chain,
        "another's proof": with_anothers_proof, "a forged proof": with_forged_proof,
        "the key of a server": with_a_servers_key, "acts in the customer's name": in_the_customers_name,
        "an event with no proof": partial(by_event, proof=""), "a beacon": by_beacon,
    }  # fmt: skip
    attacks = [_tried(door, name, way, tries=tries) for name, way in ways.items()]
    time.sleep(max(0.0, lapsed - time.monotonic()))
    late = partial(with_expired_proof, expired=expired)
    return [*attacks, _tried(door, "an expired proof", late, tries=tries)]


def _tried(door: Door, name: str, way: Callable[[Door, str], bool], *, tries: int) -> Attack:
    attack = Attack(name)
    for number in range(tries):
        attack.tries += 1
        attack.worked += way(door, door.customers[number % len(door.customers)])
    return attack


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path(".local"), help="folder of a demo that was started once")
    options.add_argument("--tries", type=int, default=TRIES, help="of each kind")
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    with running(given.data) as why_not:
        if why_not:
            sys.stderr.write(f"{why_not}\n")
            return 1
        attacks = run(Door.of(given.data), tries=given.tries)
    for attack in attacks:
        sys.stdout.write(f"{attack.name:<28}{attack.worked:>5} of {attack.tries}\n")
    worked, tries = sum(one.worked for one in attacks), sum(one.tries for one in attacks)
    sys.stdout.write(f"{'all':<28}{worked:>5} of {tries}\n")
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in attacks]), encoding="utf-8")
    return 1 if worked else 0


if __name__ == "__main__":
    sys.exit(main())
