"""Accuracy of the ranking: on the demo's data against baselines and peers, or on files of your own.

Without files: the demo's data. With ``--train``, ``--queries`` and ``--truth``: yours. ``docs/benchmarks.md`` says what
is measured and how.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait leave the core to those that work

from bench.files.data import Files
from bench.files.tables import InputError
from bench.meter import Progress
from bench.ranking import own_data
from bench.ranking.picking import Options
from bench.ranking.report import TaskResult, as_json, table, write_json
from recommendations.engine.recommenders.net_training import TooFewSequencesError, TorchUnavailableError
from recommendations.terms import Task

FILES = ("train", "queries", "truth")
QUICK = 150.0  # seconds of processor time
LONGEST = 20  # places of the lists that baselines and peers of the demo give


def main(argv: Sequence[str] | None = None) -> int:
    parser = options()
    arguments = parser.parse_args(argv)
    refuse_what_does_not_fit(parser, arguments)
    tell = Progress(silent=arguments.silent)
    try:
        if arguments.train is None:
            protocol, results = on_the_demo(arguments, tell)
        else:
            protocol, results = own_data.run(files(arguments), choices(arguments), tell)
    except (InputError, TorchUnavailableError, TooFewSequencesError) as error:
        sys.stderr.write(f"accuracy: {error}\n")
        return 2
    for result in results:
        sys.stdout.write(table(result) + "\n\n")
    if arguments.train is not None:
        sys.stdout.write(spending(protocol) + "\n")
    if arguments.json:
        write_json(arguments.json, as_json(protocol, results))
    return 0


def on_the_demo(arguments: argparse.Namespace, tell: Progress) -> tuple[dict[str, Any], list[TaskResult]]:
    from bench.ranking import demo  # noqa: PLC0415 - reads the demo's wheel, which own data do not need

    tasks = (Task(arguments.task),) if arguments.task else (Task.HOME, Task.DISCOVER)
    setup = demo.Demo(
        tasks=tasks, ks=arguments.k, seed=arguments.seed, windows=arguments.windows, peers=arguments.peers,
        quick=arguments.quick,
    )  # fmt: skip
    return demo.run(setup, tell)


def spending(protocol: dict[str, Any]) -> str:
    """Sentence on what the run took, and on how rough a quick one is."""
    said = f"{protocol['spent_s']:,.0f} of {protocol['budget_s']:,.0f} seconds of processor time"
    if protocol["compared_on"] >= Options().compared:
        return said
    return f"{said}; quick: few settings were compared, on {protocol['compared_on']} people: these are no figures"


def files(arguments: argparse.Namespace) -> Files:
    return Files(train=arguments.train, queries=arguments.queries, truth=arguments.truth, items=arguments.items)


def choices(arguments: argparse.Namespace) -> Options:
    tasks = (Task(arguments.task),) if arguments.task else ()
    net = 60 * arguments.net
    if arguments.quick:
        return Options(
            tasks=tasks,
            ks=arguments.k,
            seed=arguments.seed,
            budget=QUICK + net,
            most=8,
            quick=True,
            compared=500,
            net=net,
        )
    return Options(tasks=tasks, ks=arguments.k, seed=arguments.seed, budget=arguments.budget + net, net=net)


def refuse_what_does_not_fit(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    given = [name for name in FILES if getattr(arguments, name) is not None]
    if given and len(given) < len(FILES):
        missing = ", ".join(f"--{name}" for name in FILES if name not in given)
        parser.error(f"own data need all three files: {missing} is missing")
    if given and (arguments.peers or arguments.windows > 1):
        parser.error("--peers and --windows are for the demo's data: leave them out with files of your own")
    if arguments.net < 0 or (arguments.net and not given):
        parser.error("--net is above 0, and for files of your own")
    if not given and arguments.items:
        parser.error("--items describes the items of --train: give --train, --queries and --truth too")
    if not given and max(arguments.k) > LONGEST:
        parser.error(f"--k may be up to {LONGEST} on the demo's data")


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=[task.value for task in Task], help="one task only")
    parser.add_argument("--k", type=cutoffs, default=(10, 20), metavar="10,20", help="cut-offs of the metrics")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--seed", type=whole, default=0)
    parser.add_argument("--quick", action="store_true", help="a shorter search: for a first look, not for figures")
    parser.add_argument("--silent", action="store_true", help="no lines of progress")
    own = parser.add_argument_group("own data (CSV or Parquet)")
    own.add_argument("--train", type=Path, help="user_id,item_id,timestamp[,session_id,event,quantity,price]")
    own.add_argument("--queries", type=Path, help="the same columns: histories of those who are asked about")
    own.add_argument("--truth", type=Path, help="user_id,item_id: what they did next")
    own.add_argument("--items", type=Path, help="item_id[,title,brand,category,categories]")
    own.add_argument(
        "--budget",
        type=seconds,
        default=Options().budget,
        metavar="SECONDS",
        help="processor time of the whole run",
    )
    own.add_argument(
        "--net",
        type=float,
        default=0.0,
        metavar="MINUTES",
        help="processor time beside it for the transformer's nets; needs torch (extra sequence-torch)",
    )
    demo = parser.add_argument_group("demo data")
    demo.add_argument("--peers", action="store_true", help="other libraries too, each in an environment made for it")
    demo.add_argument("--windows", type=whole, default=1, metavar="N", help="the test window and earlier ones")
    return parser


def cutoffs(text: str) -> tuple[int, ...]:
    """Parse cut-offs: ``10,20`` → (10, 20), ascending."""
    cuts = tuple(sorted({whole(part) for part in text.split(",")}))
    if not cuts or cuts[0] < 1:
        raise argparse.ArgumentTypeError("cut-offs are whole numbers above 0, such as 10,20")
    return cuts


def seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0, such as 900")
    return number


def whole(text: str) -> int:
    if not text.strip().isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
