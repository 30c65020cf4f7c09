"""All faults one after the other: ``python -m bench.faults --only kills flips --json faults.json``.

The short form takes minutes; ``--full`` is what ``docs/faults.md`` reports. A single script takes more options.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

SHORT: Mapping[str, Sequence[str]] = {
    "kills": ("--kills", "12"),
    "experiments": ("--kills", "8"),
    "push": ("--kills", "10", "--waiting", "3000"),
    "flips": ("--flips", "20"),
    "trickle": ("--rounds", "2"),
    "outages": ("--requests", "200"),
    "training": ("--kills", "4"),
    "disk_full": (),
    "fuzz": ("--cases", "1000"),
}
FULL: Mapping[str, Sequence[str]] = {
    "kills": ("--kills", "48", "--control", "8"),
    "experiments": ("--kills", "32"),
    "push": ("--kills", "50"),
    "flips": ("--flips", "60"),
    "trickle": ("--rounds", "5"),
    "outages": ("--requests", "2000"),
    "training": ("--kills", "20"),
    "disk_full": (),
    "fuzz": ("--cases", "10000"),
}
WITH_SERVERS: Mapping[str, Sequence[str]] = {
    "fuzz": (sys.executable, "-m", "recsite.embedded", "--ephemeral", "--"),  # the others start theirs, to kill them
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", nargs="*", choices=list(SHORT), default=list(SHORT), metavar="NAME")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--json", type=Path, help="file for the figures of all")
    arguments = parser.parse_args(argv)
    figures, broken = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only:
            file = Path(folder) / f"{name}.json"
            program = Path(__file__).with_name(f"{name}.py")
            given = ["--json", str(file), "--seed", arguments.seed, *(FULL if arguments.full else SHORT)[name]]
            command = [*WITH_SERVERS.get(name, ()), sys.executable, str(program), *given]
            done = subprocess.run(command, check=False)
            if done.returncode:
                broken.append(name)
            if file.exists():
                figures[name] = json.loads(file.read_text(encoding="utf-8"))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if broken:
        sys.stderr.write(f"Not kept, or not ended: {', '.join(broken)}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
