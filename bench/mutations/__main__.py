"""Whether the tests of experiments, agents and releases see what is wrong: ``make bench-mutations``.

Each fault is put into a copy of the tree, and the tests named beside it run there: they have to turn red by a failed
test, not by one that cannot begin. Before and after all faults the same tests have to be green on the tree as it is.
Ends with 1 where a fault goes unseen. It needs PostgreSQL and Valkey, and leaves the tree alone.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bars import Figure, report, say
from bench.mutations.agent_faults import AGENT_FAULTS
from bench.mutations.faults import FAULTS, PlantedFault
from bench.mutations.release_faults import RELEASE_FAULTS

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 900  # of one run of tests, on a busy machine
RED, GREEN = 1, 0  # exit codes of pytest: tests failed, all passed


@dataclass(frozen=True)
class SuiteRun:
    """Exit code and last lines of a run of tests."""

    code: int
    output: str
    seconds: float

    @property
    def is_green(self) -> bool:
        return self.code == GREEN

    @property
    def is_red(self) -> bool:
        """Whether a test failed that had begun."""
        return self.code == RED and "\nFAILED " in self.output and "\nERROR " not in self.output


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="*", metavar="WORDS", help="faults with these words in their names")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = options.parse_args(argv)
    faults = [
        fault
        for fault in (*FAULTS, *AGENT_FAULTS, *RELEASE_FAULTS)
        if not given.only or any(words in fault.name for words in given.only)
    ]
    tests = list(dict.fromkeys(test for fault in faults for test in fault.tests))
    with tempfile.TemporaryDirectory(prefix="recsite-mutations-") as folder:
        copy_tree(Path(folder))
        before = tested(Path(folder), tests, anew=True)
        say(f"{'without a fault':<52} {'green' if before.is_green else 'NOT GREEN: ' + before.output[-2000:]}")
        runs = {fault.name: with_fault(Path(folder), fault) for fault in faults} if before.is_green else {}
        after = tested(Path(folder), tests, anew=False)
    figures = [
        Figure("named tests green before", before.is_green, least=1),
        *(Figure(name, run.is_red, least=1) for name, run in runs.items()),
        Figure("named tests green after", after.is_green, least=1),
        Figure("faults that turned tests red", sum(run.is_red for run in runs.values()), least=len(faults)),
    ]
    seconds = {name: round(run.seconds, 1) for name, run in runs.items()}
    return report(figures, protocol={"faults": len(faults), "seconds": seconds}, path=given.json)


def copy_tree(target: Path) -> None:
    """Copy what the repository holds, also what is not committed yet."""
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in names:
        source = ROOT / name
        if name and source.is_file() and not name.startswith(".venv"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def with_fault(tree: Path, fault: PlantedFault) -> SuiteRun:
    """Run the tests of a fault with it in the tree."""
    with planted(tree, fault):
        run = tested(tree, fault.tests, anew=False)
    say(f"{fault.name:<52} {'red' if run.is_red else 'NOT RED'}  {run.seconds:.0f} s")
    if not run.is_red:
        say(run.output[-1500:])
    return run


@contextmanager
def planted(tree: Path, fault: PlantedFault) -> Iterator[None]:
    """Context in which a fault is in the tree. Raises LookupError where its text does not stand there exactly once."""
    file = tree / fault.file
    source = file.read_text(encoding="utf-8")
    file.write_text(fault.planted(source), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(source, encoding="utf-8")


def tested(tree: Path, tests: Sequence[str], *, anew: bool) -> SuiteRun:
    """Run tests in a tree, in a database that is made ``anew`` or in that of the run before."""
    database = "--create-db" if anew else "--reuse-db"
    argv = [sys.executable, "-m", "pytest", "-q", "-x", database, "--tb=line", *tests]
    env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"} | {"CI": "true"}
    env["PYTHONDONTWRITEBYTECODE"] = "1"  # a fault and its cure within one second look alike to the cache
    began = time.monotonic()
    done = subprocess.run(argv, cwd=tree, env=env, capture_output=True, text=True, check=False, timeout=SECONDS)
    return SuiteRun(done.returncode, done.stdout + done.stderr, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
