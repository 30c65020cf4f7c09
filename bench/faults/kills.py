"""Kills (-9) at random under load: web, workers, beat, PostgreSQL, Valkey. Then every acknowledged event is looked up.

It runs what ``make demo`` runs, in a folder of its own: ``recsite.embedded`` starts killed servers again, and
``recsite.supervisor`` the rest. Afterwards the control switches ``synchronous_commit`` off and kills PostgreSQL: now
acknowledged events must be missing, or the look-up could not have found a loss.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.faults.client import Client, Dropped, Load, Tally, batch
from bench.faults.report import Report, options, progress, spread
from bench.faults.shop import Shop, family, responds, until
from bench.faults.victims import ONE_OF, ROLES, kill, members
from bench.meter import Progress

BACK_SECONDS = 600
CAUGHT_UP = 600  # seconds until Valkey's live state knows all again


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _options().parse_args(argv)
    report, tell = Report("Kill -9 under load"), progress(arguments)
    with family() as shop:
        kills(shop, report, tell, arguments)
        if arguments.control:
            control(shop, report, tell, arguments)
    return report.end(arguments.json, vars(arguments))


def _options() -> argparse.ArgumentParser:
    parser = options(__doc__)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--gap", type=float, default=6.0, help="seconds between kills, on average")
    parser.add_argument("--senders", type=int, default=6)
    parser.add_argument("--readers", type=int, default=2)
    parser.add_argument("--control", type=int, default=4, help="kills of PostgreSQL without the safeguard; 0: none")
    return parser


def kills(shop: Shop, report: Report, tell: Progress, arguments: argparse.Namespace) -> None:
    rng = random.Random(arguments.seed)  # noqa: S311 - no secret
    load = _load(shop, arguments)
    answered: dict[str, list[float]] = {role: [] for role in ROLES}
    whole: dict[str, list[float]] = {role: [] for role in ROLES}
    schedule: list[str] = []
    while len(schedule) < arguments.kills:
        schedule += rng.sample(list(ROLES), len(ROLES))
    for number, role in enumerate(schedule[: arguments.kills], start=1):
        time.sleep(rng.uniform(0.5, 1.5) * arguments.gap)
        killed = kill(shop, role, rng, alone=role in ONE_OF and rng.random() < 0.3)
        begin = time.monotonic()
        answered[role].append(until(lambda: good_answer(shop, rng), f"an answer after {role}", seconds=BACK_SECONDS))
        until(lambda role=role, killed=killed: is_back(shop, role, killed), f"{role} back", seconds=BACK_SECONDS)  # type: ignore[misc]
        whole[role].append(time.monotonic() - begin)
        tell(f"kill {number}: {role} ({len(killed)}); answer {answered[role][-1]:.2f} s, whole {whole[role][-1]:.2f} s")
    time.sleep(2)
    load.stop()
    lost, doubled = looked_up(shop, load.tally)
    tally = load.tally
    report.figures |= {
        "kills": {role: len(times) for role, times in answered.items()},
        "answer_seconds": answered, "whole_seconds": whole, "acknowledged": len(tally.acknowledged),
        "sent": len(tally.sent), "lost": len(lost), "doubled": len(doubled), "events": dict(tally.events),
        "answers": dict(tally.answers), "sources": dict(tally.sources), "odd": tally.odd[:50],
    }  # fmt: skip
    seen = f"{len(lost)} of {len(tally.acknowledged):,} in {arguments.kills} kills"
    report.promise("no acknowledged event is lost", seen, kept=not lost and bool(tally.acknowledged))
    report.promise("no event is stored twice", f"{len(doubled)} of {len(tally.sent):,} sent", kept=not doubled)
    report.promise(
        "clients see 202, 200, 503 with Retry-After, or a dropped connection",
        f"events {_counts(tally.events)}; answers {_counts(tally.answers)}; anything else {len(tally.odd)}",
        kept=not tally.odd,
    )
    for role, times in answered.items():
        if times:
            seen = f"first good answer: {spread(times)}; all of it: {spread(whole[role])}"
            report.promise(f"service back by itself after {len(times)} kills of {role}", seen, kept=True)
    _caught_up(shop, report)


def _load(shop: Shop, arguments: argparse.Namespace) -> Load:
    load = Load(
        lambda: Client(shop.port, shop.headers), shop.facts["items"],
        customers=shop.facts["customers"], seed=arguments.seed,
    )  # fmt: skip
    load.start(senders=arguments.senders, readers=arguments.readers)
    return load


def good_answer(shop: Shop, rng: random.Random) -> bool:
    """Whether a new connection gets items for a customer, and an event taken."""
    client = Client(shop.port, shop.headers, patience=3)
    body, _ = batch(rng, shop.facts["items"], customers=shop.facts["customers"])
    try:
        taken = client.send("POST", "/api/v1/events/", body)
        answer = client.send("GET", "/api/v1/placements/home/recommend/?user_id=u1")
    except Dropped:
        return False
    finally:
        client.close()
    return taken.status == HTTPStatus.ACCEPTED and answer.status == HTTPStatus.OK and bool(answer.body["results"])


def is_back(shop: Shop, role: str, killed: set[int]) -> bool:
    now = set(members(shop, role))
    return bool(now) and not now & killed and responds(f"{shop.url}readyz")


def looked_up(shop: Shop, tally: Tally) -> tuple[set[str], set[str]]:
    """Look up events: ids of which lines are missing, and of which there are too many; read from the table itself."""
    until(lambda: _connects(shop), "PostgreSQL", seconds=BACK_SECONDS)
    with shop.database() as connection:
        rows = connection.execute("SELECT event_id::text, count(*) FROM recommendations_event GROUP BY 1").fetchall()
    stored = {str(event): int(lines) for event, lines in rows}
    lost = {one for one, lines in tally.acknowledged.items() if stored.get(one, 0) < lines}
    doubled = {one for one, lines in tally.sent.items() if stored.get(one, 0) > lines}
    return lost, doubled


def _connects(shop: Shop) -> bool:
    try:
        shop.database().close()
    except psycopg.OperationalError:
        return False
    return True


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{what} × {number:,}" for what, number in sorted(counter.items()))


def _caught_up(shop: Shop, report: Report) -> None:
    """Check that the watch over the live state tells Valkey, in time, what killed web processes had not."""
    begin, behind = time.monotonic(), {"customers": -1, "acts": -1}
    while behind["acts"] and time.monotonic() - begin < CAUGHT_UP:
        behind = shop.inside("behind")
    seconds = time.monotonic() - begin
    report.figures |= {"live_state_behind": behind, "live_state_seconds": seconds}
    seen = f"{behind['acts']} acts of {behind['customers']} customers are missing after {seconds:.0f} s"
    report.promise("Valkey's live state knows all that the record knows", seen, kept=not behind["acts"])


def control(shop: Shop, report: Report, tell: Progress, arguments: argparse.Namespace) -> None:
    rng = random.Random(arguments.seed)  # noqa: S311 - no secret
    with shop.database() as connection:
        connection.execute("ALTER DATABASE recsite SET synchronous_commit = off")
    kill(shop, "web", rng, alone=False)  # its connections are those with the safeguard
    until(lambda: good_answer(shop, rng), "an answer", seconds=BACK_SECONDS)
    load = _load(shop, argparse.Namespace(**vars(arguments) | {"seed": f"{arguments.seed}-control"}))
    for number in range(1, arguments.control + 1):
        time.sleep(rng.uniform(2, 3))
        kill(shop, "postgresql", rng, alone=False)
        until(lambda: good_answer(shop, rng), "an answer after postgresql", seconds=BACK_SECONDS)
        tell(f"control: kill {number}")
    load.stop()
    lost, _ = looked_up(shop, load.tally)
    report.figures["control"] = {"acknowledged": len(load.tally.acknowledged), "lost": len(lost)}
    seen = f"{len(lost)} of {len(load.tally.acknowledged):,} in {arguments.control} kills of PostgreSQL"
    report.promise("the control (synchronous_commit off) loses some, so the check can fail", seen, kept=bool(lost))


if __name__ == "__main__":
    sys.exit(main())
