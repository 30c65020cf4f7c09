"""Known vulnerabilities of what the product is made of: the pins of ``requirements/`` against a file of advisories.

    python tools/audit.py --advisories all.zip

The file is OSV's export for PyPI (``all.zip`` of https://osv.dev, or a folder of its JSON files), so that a machine
without internet can look, too. Ends with 1 where a pin is affected, with 2 where nothing could be checked.
"""

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([\w.\-]+)(?:\[[\w,]+\])?==([^\s;\\]+)", flags=re.MULTILINE)
UNCHECKED = """Nothing was checked: no file of advisories is at hand.
Fetch all.zip of PyPI from https://osv.dev (its page on data exports says where), and call
    make audit ADVISORIES=path/to/all.zip
"""


def pins(folder: Path) -> dict[str, Version]:
    """Version of every package that is installed anywhere, by its canonical name."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt")))
    return {canonicalize_name(name): Version(version) for name, version in PIN.findall(text)}


def advisories(source: Path) -> Iterator[Mapping[str, Any]]:
    """Advisories of a zip file or of a folder, those that were withdrawn left out."""
    if source.is_dir():
        texts: Iterable[bytes] = (path.read_bytes() for path in sorted(source.glob("*.json")))
    else:
        archive = zipfile.ZipFile(source)
        texts = (archive.read(name) for name in archive.namelist() if name.endswith(".json"))
    for text in texts:
        advisory = json.loads(text)
        if not advisory.get("withdrawn"):
            yield advisory


def affects(affected: Mapping[str, Any], version: Version) -> bool:
    """Whether a version is in the list or in one of the ranges of an advisory's package."""
    if any(version == _version(listed) for listed in affected.get("versions", ())):
        return True
    ranges = (each for each in affected.get("ranges", ()) if each.get("type") == "ECOSYSTEM")
    return any(_in_range(each["events"], version) for each in ranges)


def findings(installed: Mapping[str, Version], source: Path) -> Iterator[str]:
    for advisory in advisories(source):
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            name = canonicalize_name(package.get("name", ""))
            if package.get("ecosystem") == "PyPI" and name in installed and affects(affected, installed[name]):
                yield f"{name} {installed[name]}  {advisory['id']}  {advisory.get('summary', '')}".rstrip()


def _in_range(events: Iterable[Mapping[str, str]], version: Version) -> bool:
    """Whether the last event up to the version introduces the fault; ``0`` is before every version."""
    inside = False
    for event in events:
        [(kind, text)] = list(event.items())[:1]
        at = None if text == "0" else _version(text)
        reached = text == "0" or (at is not None and (version > at if kind == "last_affected" else version >= at))
        if reached and kind in {"introduced", "fixed", "last_affected"}:
            inside = kind == "introduced"
    return inside


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Known vulnerabilities of the pinned packages.")
    parser.add_argument("--advisories", type=Path, help="OSV's all.zip of PyPI, or a folder of its files")
    parser.add_argument("--requirements", type=Path, default=ROOT / "requirements", help="folder of the pins")
    given = parser.parse_args(argv)
    if given.advisories is None or not given.advisories.exists():
        sys.stderr.write(UNCHECKED)
        return 2
    installed = pins(given.requirements)
    affected = sorted(set(findings(installed, given.advisories)))
    sys.stdout.write("".join(f"{line}\n" for line in affected))
    sys.stdout.write(f"{len(installed)} packages, {len(affected)} known vulnerabilities\n")
    return 1 if affected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
