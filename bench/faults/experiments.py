"""Kills (-9) of web, workers, PostgreSQL and Valkey while an experiment runs, and of the process that reads it.

Visitors get answers under two arms and say what came of them. At each kill a process that settles and reads the
experiment without pause is killed as well. Afterwards every acknowledged event is looked up, every answer must have
been of one arm for one person and of the weights of that arm, and the product's totals must be those that pandas makes
of plain rows of slates and events.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.faults.client import Client
from bench.faults.kills import BACK_SECONDS, good_answer, is_back, looked_up
from bench.faults.report import Report, options, progress, spread
from bench.faults.shop import Shop, family, until
from bench.faults.victims import kill
from bench.faults.visits import GivenAnswer, VisitLoad
from bench.meter import Progress
from bench.readings.recomputed import Sums, frame, largest_difference, mixed_people, record_of, sums_of

ROLES = ("web", "worker", "postgresql", "valkey")
CLOSE = 1e-9
# Outcomes and attributed lines from events and slates alone: an event names its answer, or a click before it did.
_CLICKED = """
SELECT event.recommendation_id, bool_or(event.name = 'select_item' AND event.item_id = ANY(slate.items)),
       bool_or(event.name = 'view_item_list')
FROM recommendations_event event JOIN recommendations_slate slate USING (recommendation_id) GROUP BY 1
"""
_BOUGHT = """
SELECT answer.id, bought.occurred_at, bought.amount::float8
FROM recommendations_event bought CROSS JOIN LATERAL (
  (SELECT slate.recommendation_id AS id FROM recommendations_slate slate
   WHERE slate.recommendation_id = bought.recommendation_id AND bought.item_id = ANY(slate.items))
  UNION ALL
  (SELECT slate.recommendation_id FROM recommendations_event click
   JOIN recommendations_slate slate USING (recommendation_id)
   WHERE click.name IN ('select_item', 'view_item') AND click.customer_id = bought.customer_id
     AND click.item_id = bought.item_id AND click.occurred_at <= bought.occurred_at AND click.item_id = ANY(slate.items)
   ORDER BY click.occurred_at DESC, click.event_id DESC LIMIT 1)
  LIMIT 1
) AS answer
WHERE bought.name = 'purchase' AND NOT EXISTS (
  SELECT FROM recommendations_event refund WHERE refund.name = 'refund' AND refund.item_id = bought.item_id
    AND refund.transaction_id = bought.transaction_id AND refund.occurred_at >= bought.occurred_at)
"""
_OTHER_WEIGHTS = """
SELECT count(*) FROM recommendations_slate slate JOIN recommendations_arm arm ON arm.id = slate.arms[1]
JOIN recommendations_blendweights weights ON weights.id = (arm.changes #>> '{weights,home}')::bigint
WHERE slate.weights_version IS NOT NULL AND slate.weights_version <> weights.number
"""
_STORED = """
SELECT count(*), count(DISTINCT recommendation_id) FROM recommendations_slate WHERE recommendation_id = ANY(%s)
"""
_ROWS_OF_READINGS = """
SELECT count(*) FROM recommendations_reading reading JOIN recommendations_arm arm ON arm.id = reading.arm_id
WHERE reading.segment IS NULL AND reading.n > 0 GROUP BY reading.at
"""


class Reader:
    """A process that settles and reads the experiment without pause; it is killed in the middle of it."""

    def __init__(self, shop: Shop, experiment: int) -> None:
        self._shop, self._argv = shop, [sys.executable, "-m", "bench.faults.inside", "read", str(experiment)]
        self.kills = 0
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        self._before = self._log_size()
        return self._shop.child(self._argv, name="reader")

    def _log_size(self) -> int:
        log = self._shop.folder / "reader.log"
        return log.stat().st_size if log.exists() else 0

    def _began(self) -> bool:
        """Whether it has read once since it was started, or ended by itself, as PostgreSQL was killed under it."""
        return self._log_size() > self._before or self._process.poll() is not None

    def kill(self, rng: random.Random, *, again: bool) -> None:
        """Kill it at any moment of a reading."""
        until(self._began, "a reading", seconds=BACK_SECONDS)
        time.sleep(rng.uniform(0, 1))
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.kills += 1
        if again:
            self._process = self._started()


def main(argv: Sequence[str] | None = None) -> int:
    parser = options(__doc__)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--gap", type=float, default=6.0, help="seconds between kills, on average")
    parser.add_argument("--senders", type=int, default=4)
    arguments = parser.parse_args(argv)
    report, tell = Report("Kill -9 while an experiment runs"), progress(arguments)
    with family() as shop:
        under_kills(shop, report, tell, arguments)
    return report.end(arguments.json, vars(arguments))


def under_kills(shop: Shop, report: Report, tell: Progress, arguments: argparse.Namespace) -> None:
    rng = random.Random(arguments.seed)  # noqa: S311 - no secret
    facts = shop.inside("experiment")
    load = VisitLoad(
        lambda: Client(shop.port, shop.headers), shop.facts["items"],
        customers=shop.facts["customers"], seed=arguments.seed,
    )  # fmt: skip
    load.start(senders=arguments.senders, readers=0)
    reader = Reader(shop, facts["experiment"])
    back: dict[str, list[float]] = {role: [] for role in ROLES}
    schedule = [role for _ in range(-(-arguments.kills // len(ROLES))) for role in rng.sample(ROLES, len(ROLES))]
    for number, role in enumerate(schedule[: arguments.kills], start=1):
        time.sleep(rng.uniform(0.5, 1.5) * arguments.gap)
        reader.kill(rng, again=True)
        begin, killed = time.monotonic(), kill(shop, role, rng, alone=False)
        until(lambda: good_answer(shop, rng), f"an answer after {role}", seconds=BACK_SECONDS)
        until(lambda role=role, killed=killed: is_back(shop, role, killed), f"{role} back", seconds=BACK_SECONDS)  # type: ignore[misc]
        back[role].append(time.monotonic() - begin)
        tell(f"kill {number}: {role}; {len(load.answers):,} answers, all back after {back[role][-1]:.1f} s")
    time.sleep(arguments.gap)
    load.stop()
    reader.kill(rng, again=False)
    for role, times in back.items():
        report.promise(f"back by itself after {len(times)} kills of {role}", spread(times), kept=True)
    _judge_events(shop, load, report, kills=arguments.kills)
    _judge_totals(shop, facts, report, kills=reader.kills)
    _judge_answers(shop, load.answers, facts["versions"], report)


def _judge_events(shop: Shop, load: VisitLoad, report: Report, *, kills: int) -> None:
    lost, doubled = looked_up(shop, load.tally)
    acknowledged, sent = len(load.tally.acknowledged), len(load.tally.sent)
    report.figures |= {
        "acknowledged": acknowledged, "sent": sent, "lost": len(lost), "doubled": len(doubled),
        "events": dict(load.tally.events), "odd": load.tally.odd[:50],
    }  # fmt: skip
    seen = f"{len(lost)} of {acknowledged:,} in {kills} kills"
    report.promise("no acknowledged event is lost", seen, kept=not lost and acknowledged > 0)
    report.promise("no event is stored twice", f"{len(doubled)} of {sent:,} sent", kept=not doubled)
    report.promise("clients see nothing odd", len(load.tally.odd), kept=not load.tally.odd)


def _judge_answers(shop: Shop, answers: Sequence[GivenAnswer], versions: Mapping[str, int], report: Report) -> None:
    arms: dict[str, set[str]] = defaultdict(set)
    for answer in answers:
        arms[answer.user].add(answer.arm)
    two = sum(len(own) > 1 or "" in own for own in arms.values())
    other = sum(answer.weights is not None and answer.weights != versions.get(answer.arm) for answer in answers)
    with shop.database() as connection:
        ids = [answer.recommendation_id for answer in answers]
        stored, different = connection.execute(_STORED, [ids]).fetchone() or (0, 0)
        wrong = (connection.execute(_OTHER_WEIGHTS).fetchone() or (0,))[0]
    report.figures |= {
        "answers": len(answers), "people": len(arms), "people_of_two_arms": two, "answers_of_other_weights": other,
        "slates_of_other_weights": wrong, "slates": stored,
    }  # fmt: skip
    report.promise("everybody stays in one arm", f"{two} of {len(arms):,} people saw two, or none", kept=not two)
    seen = f"{other} of {len(answers):,} answers, {wrong} slates"
    report.promise("every answer is of the weights of its arm", seen, kept=not (other or wrong))
    seen = f"{stored - different} twice; {len(answers) - different} of {len(answers):,} lost with their process"
    report.promise("no slate is stored twice (some may be lost)", seen, kept=stored == different)


def _judge_totals(shop: Shop, facts: Mapping[str, Any], report: Report, *, kills: int) -> None:
    result = shop.inside("totals", str(facts["experiment"]))
    one, again = _sums(result["sums"]), _sums(result["again"])
    with shop.database() as connection:
        record = record_of(connection, facts["experiment"], now=datetime.fromisoformat(result["now"]))
        outcomes = frame(connection, _CLICKED, ("id", "clicked", "listed"))
        attributed = frame(connection, _BOUGHT, ("id", "at", "amount"))
        readings = [rows for (rows,) in connection.execute(_ROWS_OF_READINGS)]
    record = replace(record, outcomes=outcomes, attributed=attributed)
    own = sums_of(record)
    difference, mixed = largest_difference(one, own), mixed_people(record)
    kinds = ("revenue", "orders", "ctr", "attributed", "refunds")
    seen = {name: round(sum(sums["y"] for (_, metric), sums in one.items() if metric == name), 2) for name in kinds}
    people = int(sum(sums["n"] for (_, metric), sums in one.items() if metric == "revenue"))
    report.figures |= {
        "difference": difference, "mixed": result["mixed"], "totals": seen, "units": people, "readings": readings,
        "killed_readers": kills, "sums": result["sums"],
    }  # fmt: skip
    words = ", ".join(f"{name} {value:,}" for name, value in seen.items())
    report.promise(
        "totals are those recomputed from events and slates",
        f"{len(one)} sums of {people:,} people differ by at most {difference:.1e} ({words})",
        kept=difference <= CLOSE and all(value > 0 for value in seen.values()),
    )
    report.promise("the totals are the same again", largest_difference(one, again), kept=one == again)
    report.promise("nobody is mixed", f"{result['mixed']:g}; {mixed} recomputed", kept=not (result["mixed"] or mixed))
    report.promise(
        "a reading is whole or not there",
        f"{len(readings)} readings while their process was killed {kills} times; rows {sorted(set(readings))}",
        kept=len(set(readings)) == 1,
    )


def _sums(rows: Sequence[Sequence[Any]]) -> Sums:
    return {(int(arm), str(metric)): dict(sums) for arm, metric, sums in rows}


if __name__ == "__main__":
    sys.exit(main())
