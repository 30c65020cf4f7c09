"""One whole run of the loop on a shop of any size, within a limit of memory over all its processes: ``make bench-run``.

A shop is invented, handed over by the product's own imports, and kept in a folder: what is there already is not made
again. Then ``manage.py run_loop`` runs in a control group of its own, and with it PostgreSQL and Valkey as
``recsite.embedded`` starts them (256 MB of shared buffers), without swap; a run that needs more is killed, and failed.
At last both web processes answer customers with the model that went live, and with no model in an empty shop.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.bars import Figure, say
from bench.growth.control_group import ControlGroup, NoControlGroupError, control_group
from bench.growth.run_report import Result, beside, figures_of, of_stages, text_of
from bench.growth.samples import Samples
from bench.growth.shop_files import write_shop
from bench.meter import Progress
from bench.web.servers import tree
from recsite.processes import spawn, stop

ROOT = Path(__file__).resolve().parents[2]
MANAGE = str(ROOT / "manage.py")
GB = 10**9
OF_OTHERS = ("DATABASE_URL", "REDIS_URL", "ARTEFACTS", "ARTEFACT_CACHE")


class FailedStepError(Exception):
    """A step before the run failed; the message says which, and the end of what it said."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _options().parse_args(argv)
    folder: Path = options.folder.resolve()
    tell = Progress()
    shop = Shop(folder, tell)
    of_shop = {name: getattr(options, name) for name in ("customers", "items", "rows", "seed")}
    shop.fill(**of_shop, goes_on=options.go_on)
    result: Result = {
        "protocol": of_shop | {"memory": options.memory},
        "run": shop.run(options.memory),
    }
    if result["run"]["live"]:
        asked = str(options.customers), str(options.answers)
        tell("web processes with the model, and with none")
        result["web"] = shop.inside("web", *asked)
        result["no_model"] = shop.empty().inside("web", *asked)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    say(text_of(result))
    if options.beside:
        say(beside(json.loads(options.beside.read_text(encoding="utf-8")), result))
    return _judged(figures_of(result))


def _judged(figures: Sequence[Figure]) -> int:
    width = max(len(figure.words) for figure in figures)
    for figure in figures:
        say(figure.line(width))
    kept = all(figure.holds for figure in figures)
    say("all bars kept" if kept else "NOT ALL BARS KEPT")
    return 0 if kept else 1


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=14_150)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of events, before and after the cuts")
    parser.add_argument("--memory", type=float, default=8.0, help="GB of 10⁹ bytes that all processes may hold")
    parser.add_argument("--folder", type=Path, required=True, help="where the shop is kept, 1 GB a million rows")
    parser.add_argument("--answers", type=int, default=1_000, help="of each web process, to random customers")
    parser.add_argument("--go-on", action="store_true", help="with the run of this folder that was broken off")
    parser.add_argument("--seed", type=int, default=0, help="of the shop")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--beside", type=Path, help="figures of before (a file of --json), for a table of both")
    return parser


class Shop:
    """A shop with its servers in a folder; ``made`` there names the files that are imported."""

    def __init__(self, folder: Path, tell: Progress) -> None:
        self.folder, self._tell = folder, tell
        self._runs_before, self._goes_on = 0, False
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # under root PostgreSQL's own user must get through
        ours = {name: text for name, text in os.environ.items() if name not in OF_OTHERS}
        self.env = ours | {"DJANGO_SETTINGS_MODULE": "recsite.settings", "LOG_LEVEL": "WARNING"}
        self.env["PYTHONPATH"] = str(ROOT)
        self.env.pop("DATA", None)

    def fill(self, *, rows: int, customers: int, items: int, seed: int, goes_on: bool = False) -> None:
        """Invent the shop's files and import them. A run that was broken off stays where it ``goes_on``.

        Raises FailedStepError where the folder holds another shop.
        """
        asked = {"rows": rows, "customers": customers, "items": items, "seed": seed}
        told = self.folder / "shop.json"
        if told.exists() and (there := json.loads(told.read_text(encoding="utf-8"))) != asked:
            raise FailedStepError(f"{self.folder} holds another shop, of {there}; name another folder.")
        files = self.folder / "files"
        if not told.exists():
            self._tell(f"inventing {rows:,} rows")
            files.mkdir(exist_ok=True)
            midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            write_shop(files, rows=rows, shape=(customers, items), seed=seed, end=midnight)
            told.write_text(json.dumps(asked), encoding="utf-8")
        self._tell("imports")
        there = self.inside("fill", str(self.folder), "yes" if goes_on else "no")
        self._runs_before, self._goes_on = int(there["runs"]), bool(there["goes_on"])

    def empty(self) -> "Shop":
        """A shop beside this one in which there is nothing."""
        other = Shop(self.folder / "empty", self._tell)
        other.inside("open")
        return other

    def inside(self, *arguments: str) -> dict[str, Any]:
        """Answer of a command of ``inside_run.py``."""
        said = self.folder / "said.txt"
        with said.open("wb") as output:
            process = spawn(
                self.command("-m", "bench.growth.inside_run", *arguments),
                stop=signal.SIGTERM,
                output=output,
                env=self.env,
            )
            try:
                code = process.wait()
            finally:
                stop(process, number=signal.SIGTERM, seconds=30)
        text = said.read_text(encoding="utf-8", errors="replace")
        if code:
            raise FailedStepError(f"{arguments[0]} ended with {code}:\n{text[-2000:]}")
        return dict(json.loads(text.splitlines()[-1]))

    def run(self, memory: float) -> dict[str, Any]:
        """Go once round the loop within so many GB; how it ended, and what it took."""
        self._tell(f"run of the loop in {memory:g} GB")
        try:
            with control_group(round(memory * GB)) as group:
                result = self._run(group)
        except NoControlGroupError as error:
            self._tell(f"{error}: sampled only, which is no pass")
            result = self._run(None)
        facts = self.inside("facts", str(self._runs_before))
        samples: Samples = result.pop("samples")
        stages = of_stages(facts.pop("stages"), samples)
        timeline = [[round(one.at - samples.seen[0].at, 1), round(one.own / 1e6)] for one in samples.seen]
        before = {"runs_before": self._runs_before, "goes_on": self._goes_on}
        return facts | result | before | {"stages": stages, "timeline": timeline}

    def _run(self, group: ControlGroup | None) -> dict[str, Any]:
        command = self.command(MANAGE, "run_loop")
        began = time.time()
        with (self.folder / "run.log").open("wb") as output:
            process = spawn(
                group.inside(command) if group else command,
                stop=signal.SIGTERM,
                output=output,
                env=self.env,
            )
            file = self.folder / "samples.jsonl"
            if not self._goes_on:
                file.unlink(missing_ok=True)
            samples = Samples((lambda: group.pids) if group else (lambda: tree(process.pid)), group, file=file)
            try:
                with samples.being_taken():
                    code = process.wait()
            finally:
                stop(process, number=signal.SIGTERM, seconds=30)
        return {
            "limited": group is not None,
            "exit": code,
            "seconds": round(time.time() - began, 1),
            "kills": samples.seen[-1].kills if group else None,
            "peak_with_cache_mb": round(group.peak / 1e6) if group else None,
            "cpu_seconds": round(samples.seen[-1].cpu, 1),
            "samples": samples,
            "said": (self.folder / "run.log").read_text(encoding="utf-8", errors="replace")[-2000:],
        }

    def command(self, *arguments: str) -> list[str]:
        """A command of Python that has this shop's servers."""
        return [sys.executable, "-m", "recsite.embedded", "--data", str(self.folder), "--", sys.executable, *arguments]


if __name__ == "__main__":
    sys.exit(main())
