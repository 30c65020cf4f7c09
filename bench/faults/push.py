"""Kills (-9) of senders, decider, PostgreSQL, Valkey and post office while campaigns are sent; withdrawals; deciders.

It runs what ``make demo`` runs. First several processes decide at once under caps. Then campaigns come one after the
other while roles are killed at random; afterwards every message is held against the files of the post office: nobody
may have got two, none may be without a final state, and of what is unknown the post office's list tells. In the end
people say no, one by one, while ten thousand messages wait.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.parser import BytesHeaderParser
from functools import partial
from pathlib import Path
from threading import Event, Thread

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.faults.report import Report, options, progress, spread
from bench.faults.shop import Shop, family, until
from bench.faults.victims import kill, members
from bench.meter import Progress

ROLES = ("worker", "postgresql", "valkey", "post")
BACK, GOES_ON = 600, 75.0  # seconds
WORKERS = 2  # processes that may send
PEOPLE = 60
FINAL = frozenset({"taken", "refused", "gone", "unknown", "withdrawn", "expired", "failed", "held"})
PACE = "900"  # mails a minute


def main(argv: Sequence[str] | None = None) -> int:
    parser = options(__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--gap", type=float, default=4.0, help="seconds between kills, on average")
    parser.add_argument("--waiting", type=int, default=10_000, help="messages that wait when people say no")
    arguments = parser.parse_args(argv)
    report, tell = Report("Kill -9 while campaigns are sent"), progress(arguments)
    with family(env={"PUSH_EMAIL_PER_MINUTE": PACE}) as shop:
        shop.inside("push_open")
        deciders(shop, report, tell)
        kills(shop, report, tell, arguments)
        withdrawals(shop, report, tell, arguments)
    return report.end(arguments.json, vars(arguments))


def deciders(shop: Shop, report: Report, tell: Progress) -> None:
    """Let two processes decide beside the workers, while two send."""
    shop.inside("push_rules", "caps")
    shop.inside("push_campaigns", "capped", "8", "10")
    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(shop.inside, "push_decide", "25") for _ in range(2)]:
            each.result()
    until(lambda: not waiting(shop), "no message waits", seconds=BACK)
    seen = shop.inside("push_caps")
    twice = [key for key, number in Counter(arrived(shop)).items() if number > 1]
    tell(f"deciders: {seen}")
    report.figures["deciders"] = seen | {"twice": len(twice)}
    words = f"{len(seen['broken'])} of {seen['people']} people with {seen['messages']} messages"
    report.promise("two deciders and two senders break no cap", words, kept=not seen["broken"] and seen["messages"] > 0)
    report.promise("and nobody gets two", len(twice), kept=not twice)


def kills(shop: Shop, report: Report, tell: Progress, arguments: argparse.Namespace) -> None:
    rng = random.Random(arguments.seed)  # noqa: S311 - no secret
    shop.inside("push_rules", "none")
    number = arguments.kills
    shop.inside("push_campaigns", "news", str(number), str(arguments.kills * arguments.gap * 1.5))
    watch, schedule, back = Unknown(shop), list[str](), list[float]()
    while len(schedule) < arguments.kills:
        schedule += rng.sample(list(ROLES), len(ROLES))
    killed = Counter[str]()
    for place, role in enumerate(schedule[: arguments.kills], start=1):
        until(lambda: waiting(shop), "something waits", seconds=BACK)
        time.sleep(rng.uniform(0, 2) * arguments.gap / 2)
        begin, before = time.monotonic(), len(arrived(shop))
        kill(shop, role, rng, alone=role == "worker" and rng.random() < 0.5)
        killed[role] += 1
        until(partial(_goes_on, shop, role, before), f"a mail after {role}", seconds=BACK)
        back.append(time.monotonic() - begin)
        tell(f"kill {place}: {role}, {len(arrived(shop)):,} mails, on after {back[-1]:.1f} s")
    until(lambda: all_came(shop, number), "every campaign was decided", seconds=BACK)
    until(lambda: not waiting(shop), "no message waits", seconds=BACK)
    unknown = watch.end()
    until(lambda: not left_to_settle(shop), "what arrived is settled", seconds=150)
    judge(shop, report, unknown, killed, back)


def _goes_on(shop: Shop, role: str, before: int) -> bool:
    """Whether the role is there again, and a further mail arrived, or none waits."""
    return bool(members(shop, role)) and (len(arrived(shop)) > before or not waiting(shop))


def judge(shop: Shop, report: Report, unknown: set[int], killed: Counter[str], back: list[float]) -> None:
    messages = shop.inside("push_ids")["messages"]
    mails = Counter(arrived(shop))
    states = Counter(state for _key, state, _id in messages)
    open_ones = sum(number for state, number in states.items() if state not in FINAL)
    twice = sum(number > 1 for number in mails.values())
    invented = sum(state == "taken" and not mails[own] for _key, state, own in messages)
    unsaid = sum(state != "taken" and mails[own] > 0 for _key, state, own in messages)
    most = WORKERS * sum(killed.values())
    report.figures["kills"] = {
        "killed": dict(killed), "messages": len(messages), "mails": mails.total(), "states": dict(states),
        "twice": twice, "unknown_seen": len(unknown), "seconds": back,
    }  # fmt: skip
    total = sum(killed.values())
    report.promise(f"{total} kills: nobody gets two", f"{twice} of {mails.total():,} mails", kept=not twice)
    report.promise("every message comes to an end", f"{open_ones} of {len(messages):,} open", kept=not open_ones)
    report.promise("what is called taken arrived", f"{invented} did not", kept=not invented)
    words = f"{len(unknown)} of at most {most} in flight"
    report.promise("unknown is what was in flight, at most one a sender and kill", words, kept=len(unknown) <= most)
    words = f"{states['unknown']} are left, {unsaid} of them arrived"
    report.promise("the post office's list settles what is unknown", words, kept=not unsaid)
    report.promise(f"it goes on within {GOES_ON:.0f} s", spread(back), kept=max(back) <= GOES_ON)


def withdrawals(shop: Shop, report: Report, tell: Progress, arguments: argparse.Namespace) -> None:
    """Let half of the people say no while so many messages wait and the workers send."""
    people = PEOPLE // 2
    shop.inside("push_campaigns", "many", str(-(-arguments.waiting // PEOPLE)), "0")
    until(lambda: waiting(shop) >= 0.9 * arguments.waiting, "the messages wait", seconds=BACK)
    tell(f"{waiting(shop):,} wait")
    outcome = shop.inside("push_withdraw", str(people))
    time.sleep(10)
    later = shop.inside("push_left", str(people))["left"]
    after = sum(len(set(keys) - set(outcome["left"][person])) for person, keys in later.items())
    going_on = len(arrived(shop))
    report.figures["withdrawals"] = {"people": people, "after": after, "slowest": outcome["slowest"]}
    report.promise(f"{people} say no while {arguments.waiting:,} wait: nothing leaves after it", after, kept=not after)
    words = f"{outcome['slowest']:.2f} s at most"
    report.promise("a no holds within a second", words, kept=outcome["slowest"] <= 1)
    until(lambda: len(arrived(shop)) > going_on, "the others get theirs", seconds=BACK)


class Unknown:
    """The messages that were unknown at any time, looked up without pause: the demo settles them by itself."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._seen, self._over = shop, set[int](), Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> set[int]:
        self._over.set()
        self._thread.join(30)
        return self._seen

    def _look(self) -> None:
        while not self._over.wait(1):
            with suppress(psycopg.Error), self._shop.database() as connection:
                unknown = connection.execute("SELECT id FROM recommendations_message WHERE state = 'unknown'")
                self._seen |= {int(key) for (key,) in unknown.fetchall()}


def waiting(shop: Shop) -> int:
    """How many messages are open; 1 while PostgreSQL does not say."""
    statement = "SELECT count(*) FROM recommendations_message WHERE state IN ('due', 'leased', 'handing')"
    return count(shop, statement, away=1)


def all_came(shop: Shop, campaigns: int) -> bool:
    statement = (
        "SELECT count(*) FROM recommendations_occurrence WHERE state <> 'due' AND campaign_id IN "
        "(SELECT id FROM recommendations_campaign WHERE slug LIKE 'news-%')"
    )
    return count(shop, statement, away=0) >= campaigns


def left_to_settle(shop: Shop) -> bool:
    """Whether something is unknown that arrived."""
    if not count(shop, "SELECT count(*) FROM recommendations_message WHERE state = 'unknown'", away=1):
        return False
    there = set(arrived(shop))
    return any(state == "unknown" and own in there for _key, state, own in shop.inside("push_ids")["messages"])


def count(shop: Shop, statement: str, *, away: int) -> int:
    try:
        with shop.database() as connection:
            row = connection.execute(statement.encode()).fetchone()
            return int(row[0]) if row else away
    except psycopg.Error:
        return away


_heads: dict[str, str] = {}


def arrived(shop: Shop) -> list[str]:
    """Message-IDs of all mails of campaigns that the post office has."""
    folder = shop.folder / "post"
    for path in folder.glob("*.eml"):
        if path.name not in _heads:
            with path.open("rb") as file:
                _heads[path.name] = str(BytesHeaderParser().parsebytes(file.read(8_000)).get("Message-ID", "")).strip()
    return list(_heads.values())


if __name__ == "__main__":
    sys.exit(main())
