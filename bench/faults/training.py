"""Kills (-9) of the worker in the middle of runs: the live version answers, and the run goes on where it was.

Each run's worker is killed twice at a random moment of a random stage, the whole worker or the process that computes;
the third try has to end it. Then comes a run that dies at every try, which has to be given up after three.
"""

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.faults.client import Client, Dropped
from bench.faults.report import Report, options, progress, spread
from bench.faults.shop import NotInTimeError, Shop, family, until
from bench.faults.victims import kill
from bench.meter import Progress

OFTEN = 2  # kills of one run; a third would be the last
TRIES = 3
PATIENCE = 900.0  # seconds; a busy machine
ENDED = {"succeeded", "failed", "cancelled"}
RUN = "SELECT status, tries, message FROM recommendations_run WHERE id = %s"
STAGES = "SELECT id, started_at FROM recommendations_runstage WHERE run_id = %s AND status = 'succeeded'"
SHOWN = "SELECT count(*) FROM recommendations_runstage WHERE run_id = %s AND status = 'interrupted'"
LIVE = """
SELECT version.id, version.status, count(artefact.*) AS artefacts
FROM recommendations_modelversion version
LEFT JOIN recommendations_artefact artefact ON artefact.version_id = version.id
WHERE version.is_live GROUP BY 1, 2
"""


class Onlooker:
    """Asks for recommendations and for what is live, all the time."""

    def __init__(self, shop: Shop) -> None:
        self.answers: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.live: set[tuple[int, ...]] = set()
        self.odd: list[str] = []
        self._shop, self._over = shop, threading.Event()
        self._threads = [threading.Thread(target=look, daemon=True) for look in (self._ask, self._look)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _ask(self) -> None:
        client, number = Client(self._shop.port, self._shop.headers), 0
        while not self._over.wait(0.02):
            number = (number + 1) % 60
            try:
                reply = client.send("GET", f"/api/v1/placements/home/recommend/?user_id=u{number}")
            except Dropped as error:
                self.answers[type(error).__name__] += 1
                continue
            good = reply.status == HTTPStatus.OK and bool(reply.body["results"])
            self.answers[str(reply.status) if good or reply.status != HTTPStatus.OK else "empty"] += 1
            if good:
                self.versions[reply.body["model_version"]] += 1
        client.close()

    def _look(self) -> None:
        with self._shop.database() as connection:
            while not self._over.wait(0.1):
                rows = connection.execute(LIVE).fetchall()
                self.live |= {(int(version), int(artefacts)) for version, _, artefacts in rows}
                if len(rows) != 1 or rows[0][1] != "ready":
                    self.odd.append(str(rows))


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _options().parse_args(argv)
    report, tell = Report("The worker is killed in training"), progress(arguments)
    with family() as shop:
        onlooker = Onlooker(shop)
        runs(shop, report, tell, arguments)
        poison(shop, report, tell, random.Random(arguments.seed))  # noqa: S311 - no secret
        onlooker.stop()
    _served(onlooker, report)
    return report.end(arguments.json, vars(arguments))


def _options() -> argparse.ArgumentParser:
    parser = options(__doc__)
    parser.add_argument("--kills", type=int, default=4)
    return parser


def runs(shop: Shop, report: Report, tell: Progress, arguments: argparse.Namespace) -> None:
    rng = random.Random(arguments.seed)  # noqa: S311 - no secret
    ended: Counter[str] = Counter()
    again: list[float] = []
    safe, interrupted, repeated, kills = 0, 0, 0, 0
    while kills < arguments.kills:
        run, done = start(shop, seed=kills), {}
        for _ in range(min(OFTEN, arguments.kills - kills)):
            tries = struck(shop, run, rng, longest=6)
            if tries is None:
                break
            kills += 1
            done = stages(shop, run)
            begin = time.monotonic()
            interrupted += went_on(shop, run, tries)
            again.append(time.monotonic() - begin)
            tell(f"kill {kills}: {len(done)} stages were finished; it went on after {again[-1]:.1f} s")
        until(lambda run=run: state(shop, run)["status"] in ENDED, f"{run} ends", seconds=PATIENCE)  # type: ignore[misc]
        now = stages(shop, run)
        safe += sum(now.get(stage) == at for stage, at in done.items())
        repeated += sum(now.get(stage) != at for stage, at in done.items())
        ended[str(state(shop, run)["status"])] += 1
    report.figures |= {"kills": kills, "again_seconds": again, "ended": dict(ended), "stages_kept": safe}
    good = ended.keys() == {"succeeded"}
    report.promise("a run whose worker was killed ends all the same", f"{dict(ended)} with {kills} kills", kept=good)
    what = "it goes on after its last finished stage"
    report.promise(what, f"{safe} finished stages were kept, {repeated} run again", kept=not repeated and safe > 0)
    report.promise(
        "it shows as interrupted, and goes on by itself", f"{interrupted} of {kills}; {spread(again)}", kept=True
    )


def poison(shop: Shop, report: Report, tell: Progress, rng: random.Random) -> None:
    run = start(shop, seed=0)
    for number in range(1, TRIES + 1):
        until(lambda number=number: state(shop, run)["tries"] == number, f"try {number}", seconds=PATIENCE)  # type: ignore[misc]
        struck(shop, run, rng, longest=0.2)
    until(lambda: state(shop, run)["status"] in ENDED, "the run is given up", seconds=PATIENCE)
    row = state(shop, run)
    tell(f"poison: {row}")
    report.figures["poison"] = row
    kept = row["status"] == "failed" and row["tries"] == TRIES
    what = "a run that kills its worker at every try is given up after three"
    report.promise(what, f"{row['status']}: {row['message']}", kept=kept)


def start(shop: Shop, *, seed: int) -> str:
    return str(shop.inside("start", str(seed))["run"])


def state(shop: Shop, run: str) -> dict[str, Any]:
    with shop.database() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(RUN, [run]).fetchone()
    return dict(row or {})


def stages(shop: Shop, run: str) -> dict[int, object]:
    with shop.database() as connection:
        return {int(stage): started for stage, started in connection.execute(STAGES, [run])}


def struck(shop: Shop, run: str, rng: random.Random, *, longest: float) -> int | None:
    """Kill a run's worker at a random moment while it computes; which try that was, None where it had ended before."""
    until(lambda: state(shop, run)["status"] in {"running", *ENDED}, f"{run} runs", seconds=PATIENCE)
    time.sleep(rng.uniform(0, longest))
    row = state(shop, run)
    if row["status"] in ENDED:
        return None
    kill(shop, "loop", rng, alone=rng.random() < 0.3)
    return int(row["tries"])


def went_on(shop: Shop, run: str, tries: int) -> bool:
    """Wait for the next try; whether the run, or its stage, showed as interrupted until then."""
    visible, end = False, time.monotonic() + PATIENCE
    with shop.database() as connection:
        while time.monotonic() < end:
            now = state(shop, run)
            row = connection.execute(SHOWN, [run]).fetchone()
            visible = visible or now["status"] == "interrupted" or bool(row and row[0])
            if now["tries"] > tries or now["status"] in ENDED:
                return visible
            time.sleep(0.02)
    raise NotInTimeError(f"{run} did not go on within {PATIENCE:g} s: {now}")


def _served(onlooker: Onlooker, report: Report) -> None:
    report.figures |= {
        "answers": dict(onlooker.answers), "versions": dict(onlooker.versions), "live": sorted(onlooker.live),
        "odd": onlooker.odd[:20],
    }  # fmt: skip
    halves = {version for version, _ in onlooker.live if sum(one == version for one, _ in onlooker.live) > 1}
    seen = (
        f"{len(onlooker.live)} versions were live, one at a time, each with all its files: not so {len(halves)} times"
    )
    report.promise(
        "no half version is ever live", f"{seen}; odd {len(onlooker.odd)}", kept=not halves and not onlooker.odd
    )
    wrong = {what: number for what, number in onlooker.answers.items() if what != str(HTTPStatus.OK.value)}
    answered = f"{onlooker.answers['200']:,} answers of {len(onlooker.versions)} versions; anything else: {wrong or 0}"
    report.promise("the live version answers all the time", answered, kept=not wrong and bool(onlooker.answers))


if __name__ == "__main__":
    sys.exit(main())
