"""What knowing a million customers costs a web process: private memory, start and look-up, by directory and by dict.

    python bench/directory.py --customers 1000000

The pseudonyms are invented. Each way is measured in a process of its own, as web processes are.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recommendations.store.events.directory import NOBODY_ELSE, Directory

ASKED = 50_000
WAYS = ("directory", "dict")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.way:
        sys.stdout.write(json.dumps(measured(arguments.way, arguments.folder)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), arguments.customers)
        others = [np.load(path, mmap_mode="r") for path in Path(folder).glob("*.npy")]  # as a second process has them
        _ = [int(array.sum()) for array in others]
        results = {way: in_own_process(way, folder) for way in WAYS}
    for way, figures in results.items():
        sys.stdout.write(f"{way:<10}" + "".join(f"  {name} {value:,.2f}" for name, value in figures.items()) + "\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def write(folder: Path, customers: int) -> None:
    """Write pseudonyms in their order, whole and as a directory has them."""
    values = sorted((hashlib.sha256(str(key).encode()).digest(), key) for key in range(customers))
    whole = np.frombuffer(b"".join(value for value, _ in values), ">u8").reshape(-1, 4)
    np.save(folder / "whole.npy", np.frombuffer(b"".join(value for value, _ in values), np.uint8).reshape(-1, 32))
    np.save(folder / "prefix.npy", whole[:, 0].astype(np.uint64))
    np.save(folder / "rest.npy", whole[:, 1].astype(np.uint64))
    np.save(folder / "key.npy", np.array([key for _, key in values], np.int64))
    np.save(folder / "owner.npy", np.full(customers, NOBODY_ELSE, np.int64))


def in_own_process(way: str, folder: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--way", way, "--folder", folder]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return figures


def measured(way: str, folder: Path) -> dict[str, float]:
    """Private MB, seconds until the first look-up, and µs a look-up, of who is there and of a stranger."""
    whole = np.load(folder / "whole.npy", mmap_mode="r")
    rows = np.random.default_rng(1).integers(0, len(whole), ASKED)
    there = [bytes(whole[row]) for row in rows]
    strangers = [hashlib.sha256(value).digest() for value in there]
    before, began = private_mb(), time.perf_counter()
    look_up = looking_up(way, folder)
    look_up(there[0])
    started = time.perf_counter() - began
    found, missed = (microseconds(look_up, values) for values in (there, strangers))
    return {"private MB": private_mb() - before, "start s": started, "found µs": found, "stranger µs": missed}


def looking_up(way: str, folder: Path) -> Callable[[bytes], int | None]:
    if way == "dict":
        keys = np.load(folder / "key.npy", mmap_mode="r")
        pseudonyms = np.load(folder / "whole.npy", mmap_mode="r")
        return {bytes(value): int(key) for value, key in zip(pseudonyms, keys, strict=True)}.get
    names = ("prefix", "rest", "key", "owner")
    arrays = {name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in names}
    directory = Directory(**arrays, layers=1, read_at=datetime.now(UTC))
    _ = directory.newest
    return directory.key_of


def microseconds(look_up: Callable[[bytes], int | None], values: Sequence[bytes]) -> float:
    began = time.process_time()
    for value in values:
        look_up(value)
    return (time.process_time() - began) / len(values) * 1e6


def private_mb() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


if __name__ == "__main__":
    sys.exit(main())
