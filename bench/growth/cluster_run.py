"""One shop, gone round by this machine alone and by Spark: ``make bench-cluster`` compares all arrays of both versions.

A shop is made and copied, and both copies are gone round as of one moment: first with ``ENGINE=local``, then with a
Spark of two executors on this machine, of which ``--kill executor:60`` kills one after so many seconds, ``--kill
loop:90`` the process of the run, which is started again. CPU is that of all processes, servers and Java included.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.bars import Figure, report, say
from bench.growth.control_group import ControlGroup, control_group
from bench.growth.whole_run import Shop
from bench.meter import Progress
from bench.web.servers import tree
from tests.shardwork.spark_server import executors, spark_server

EXECUTOR_MB = 4_096
MOST_BYTES = 24 * 10**9  # of the group by which CPU is counted: as good as no limit
MOST_CPU = 1.15  # of Spark's CPU seconds over the local ones
CLOCKS = ("live/directory/read_at",)  # arrays that hold when something was done
PROGRAM = "bench.growth.run_at"

type Kill = tuple[str, float]  # what, and seconds after the run began


def main(argv: Sequence[str] | None = None) -> int:
    options = _options().parse_args(argv)
    folder, tell = options.folder.resolve(), Progress()
    here = _filled(folder / "local", tell, options)
    moment = _moment(folder)
    if not (folder / "cluster").exists():
        tell("a copy of the shop")
        subprocess.run(["cp", "-a", folder / "local", folder / "cluster"], check=True)
    there = Shop(folder / "cluster", tell)
    asked = [moment, str(options.part_acts)]
    tell("run on this machine")
    local = _gone_round(here, asked, url="local", kills=[], folder=folder)
    tell("run on Spark")
    spark = _gone_round(there, asked, url=None, kills=options.kill, folder=folder)
    return _judged(local, spark, options)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where both shops are kept; their runs are not")
    parser.add_argument("--demo", action="store_true", help="the demo's purchases instead of invented ones")
    parser.add_argument("--customers", type=int, default=4_000)
    parser.add_argument("--items", type=int, default=3_000)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0, help="of the invented shop")
    parser.add_argument("--part-acts", type=int, default=4_000_000, help="acts of a part; a shop of no more has none")
    parser.add_argument("--kill", type=_kill, action="append", default=[], metavar="WHAT:SECONDS")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser


def _kill(text: str) -> Kill:
    what, _, seconds = text.partition(":")
    if what not in ("executor", "loop"):
        raise argparse.ArgumentTypeError("executor:SECONDS or loop:SECONDS")
    return what, float(seconds)


def _filled(folder: Path, tell: Progress, options: argparse.Namespace) -> Shop:
    shop = Shop(folder, tell)
    if options.demo:
        shop.inside("demo")
    else:
        shop.fill(rows=options.rows, customers=options.customers, items=options.items, seed=options.seed)
    return shop


def _moment(folder: Path) -> str:
    """As of when both go round: when the shop was made."""
    told = folder / "moment"
    if not told.exists():
        told.write_text(datetime.now(UTC).isoformat(), encoding="ascii")
    return told.read_text(encoding="ascii")


def _gone_round(
    shop: Shop, asked: list[str], *, url: str | None, kills: Sequence[Kill], folder: Path
) -> dict[str, Any]:
    """What the run told, and what it took; with a Spark of its own where there is no ``url``."""
    with control_group(MOST_BYTES) as group:
        logs = folder / "spark"
        logs.mkdir(exist_ok=True)
        engine = nullcontext(url) if url else spark_server(logs, memory_mb=EXECUTOR_MB, within=group.inside)
        with engine as address:
            began, killed = (time.monotonic(), group.cpu_seconds), list[str]()
            with _killing(str(address), kills, killed):
                result = _told(shop, asked, address=str(address), group=group, killed=killed)
            return result | {
                "seconds": round(time.monotonic() - began[0], 1),
                "cpu_seconds": round(group.cpu_seconds - began[1], 1),
                "killed": killed,
            }


def _told(shop: Shop, asked: list[str], *, address: str, group: ControlGroup, killed: Sequence[str]) -> dict[str, Any]:
    """What the run told at its end, after as many starts as its process was killed."""
    said = shop.folder / "run.log"
    while True:
        seen = killed.count("loop")
        with said.open("wb") as output, (shop.folder / "errors.log").open("ab") as errors:
            argv = group.inside(shop.command("-m", PROGRAM, *asked))
            process = subprocess.Popen(argv, stdout=output, stderr=errors, env=shop.env | {"ENGINE": address})
            code = process.wait()
        if code == 0:
            return dict(json.loads(said.read_text(encoding="utf-8").splitlines()[-1]))
        if killed.count("loop") == seen:
            raise SystemExit(f"the run ended with {code}: see {said} and errors.log beside it")


@contextmanager
def _killing(url: str, kills: Sequence[Kill], killed: list[str]) -> Iterator[None]:
    """Kill what is asked for, each at its time, and note what was."""
    over, began = threading.Event(), time.monotonic()

    def work() -> None:
        for what, seconds in sorted(kills, key=lambda kill: kill[1]):
            if over.wait(max(began + seconds - time.monotonic(), 0)):
                return
            for pid in (executors(url) if what == "executor" else _loops())[:1]:
                killed.append(what)
                os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


def _loops() -> list[int]:
    """The process of the run itself: the one that has started none, or only what does parts."""
    found = []
    for pid in tree(os.getpid()):
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if PROGRAM.encode() in argv and b"recsite.embedded" not in argv:
            found.append(pid)
    return found


def _judged(local: Mapping[str, Any], spark: Mapping[str, Any], options: argparse.Namespace) -> int:
    for name, result in (("this machine", local), ("Spark", spark)):
        say(
            f"{name}: {result['status']} {result['message']} after {result['seconds']:,.0f} s,"
            f" {result['cpu_seconds']:,.0f} CPU s, in {result['tries']} tries, killed: {result['killed'] or 'none'}"
        )
        for row, counts in result["train"].items():
            say(f"  {row}: {counts}")
    names = (local["arrays"].keys() | spark["arrays"].keys()).difference(CLOCKS)
    other = sorted(name for name in names if local["arrays"].get(name) != spark["arrays"].get(name))
    say(f"arrays that differ: {other or 'none'}")
    figures = [
        Figure("runs that succeeded", float(sum(one["status"] == "succeeded" for one in (local, spark))), least=2),
        Figure("arrays of the version", float(len(names)), least=1),
        Figure("of them, arrays that differ", float(len(other)), most=0),
        Figure("parts that Spark did", float(sum(row["parts"] or 0 for row in spark["train"].values())), least=1),
        Figure(
            "CPU of Spark, over that of this machine", spark["cpu_seconds"] / local["cpu_seconds"],
            most=None if options.kill else MOST_CPU,  # what was done for nothing is no engine's
        ),
    ]  # fmt: skip
    protocol = {name: getattr(options, name) for name in ("demo", "customers", "items", "rows", "part_acts", "seed")}
    return report(figures, protocol=protocol | {"kills": options.kill}, path=options.json)


if __name__ == "__main__":
    sys.exit(main())
