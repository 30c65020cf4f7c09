"""Known vulnerabilities of the pins, from a file of advisories; where there is none, that is said."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import ROOT


def advisory(name: str, *, events: list[dict[str, str]], **more: object) -> dict[str, object]:
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {"id": "PYSEC-1", "summary": "A fault", "affected": [affected], **more}


def audit(tmp_path: Path, *advisories: dict[str, object]) -> subprocess.CompletedProcess[str]:
    pins = tmp_path / "requirements"
    pins.mkdir()
    (pins / "run.txt").write_text("django==6.1.3 \\\n    --hash=sha256:00\ncelery[redis]==5.7.0\n", encoding="utf-8")
    file = tmp_path / "all.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for number, each in enumerate(advisories):
            archive.writestr(f"{number}.json", json.dumps(each))
    argv = [sys.executable, "tools/audit.py", "--advisories", str(file), "--requirements", str(pins)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("events", "affected"),
    [
        ([{"introduced": "0"}, {"fixed": "6.1.4"}], True),
        ([{"introduced": "0"}, {"fixed": "6.1.3"}], False),
        ([{"introduced": "6.2"}], False),
        ([{"introduced": "0"}, {"last_affected": "6.1.3"}], True),
        ([{"introduced": "0"}, {"fixed": "5.2"}, {"introduced": "6.1"}, {"fixed": "6.1.9"}], True),
        ([{"introduced": "0"}, {"fixed": "5.2"}, {"introduced": "6.1"}, {"fixed": "6.1.1"}], False),
    ],
)
def test_a_pin_in_a_range_is_named(tmp_path: Path, events: list[dict[str, str]], affected: bool) -> None:
    done = audit(tmp_path, advisory("Django", events=events))
    assert done.returncode == affected, done.stderr
    assert ("django 6.1.3  PYSEC-1  A fault" in done.stdout) is affected


def test_withdrawn_advisories_and_other_packages_say_nothing(tmp_path: Path) -> None:
    events = [{"introduced": "0"}]
    others = advisory("Django", events=events, withdrawn="2026-01-01T00:00:00Z"), advisory("flask", events=events)
    assert audit(tmp_path, *others).returncode == 0


def test_without_a_file_nothing_is_said_to_be_well() -> None:
    done = subprocess.run([sys.executable, "tools/audit.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Nothing was checked" in done.stderr
