"""The browser's libraries are those that were recorded, and fit their Python halves."""

import hashlib
import json

from plotly.offline import get_plotlyjs_version

from tests.architecture.source import ROOT
from tools.vendor import LIBRARIES


def records() -> dict[str, dict[str, str]]:
    entries = json.loads((ROOT / "static/vendor/VENDOR.json").read_text(encoding="utf-8"))
    return {record["file"]: record for record in entries}


def test_files_are_the_recorded_ones() -> None:
    actual = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in records()}
    assert actual == {name: record["sha256"] for name, record in records().items()}


def test_records_are_those_of_the_tool() -> None:
    assert {name: (record["package"], record["version"]) for name, record in records().items()} == {
        library.target: (library.name, library.version) for library in LIBRARIES
    }


def test_every_vendored_file_is_recorded_with_a_licence() -> None:
    files = {path for folder in ("static/vendor", "tests/vendor") for path in (ROOT / folder).iterdir()}
    names = {str(path.relative_to(ROOT)) for path in files if path.name not in {"VENDOR.json", "LICENCES.txt"}}
    assert names == {name for name in records() if "/vendor/" in name}
    assert all(record["licence"] for record in records().values())


def test_no_source_map_is_named() -> None:
    assert [name for name in records() if b"sourceMappingURL" in (ROOT / name).read_bytes()] == []


def test_plotly_in_the_browser_is_the_one_that_python_writes_for() -> None:
    assert records()["static/vendor/plotly-cartesian.min.js"]["version"] == get_plotlyjs_version()
