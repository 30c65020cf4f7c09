"""The types of the tracker: what they say it can do is what it can do, and what a shop writes type-checks."""

import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.clients.conftest import TRACKER, Need
from tests.clients.test_generators import USES, compile_strictly
from tools import clients

TYPES = TRACKER.with_suffix(".d.ts")
PUSH = TRACKER.with_name("recsite-push.js")
LARGEST = 2_048  # bytes, compressed


def test_what_a_shop_writes_with_the_tracker_type_checks(needed: Callable[[Need[Any]], Any], tmp_path: Path) -> None:
    modules = needed(clients.npm_packages)
    for file in (TRACKER, TYPES, PUSH, PUSH.with_suffix(".d.ts"), USES / "with_tracker.ts"):
        shutil.copy(file, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    compile_strictly(modules, tmp_path, "with_tracker.ts", noEmit=True)


def test_the_types_name_all_that_the_tracker_does(needed: Callable[[Need[Any]], Any]) -> None:
    program = needed(clients.node)
    script = f"import('{TRACKER.as_uri()}').then(() => console.log(JSON.stringify(Object.keys(recsite))))"
    done = subprocess.run([program, "--eval", script], check=True, capture_output=True, text=True)
    [body] = re.findall(r"interface RecsiteTracker \{(.*?)\n\}", TYPES.read_text(), re.DOTALL)
    assert set(re.findall(r"^  (\w+)[(:]", body, re.MULTILINE)) == set(json.loads(done.stdout))


def test_the_types_name_all_that_notifications_add(needed: Callable[[Need[Any]], Any]) -> None:
    program = needed(clients.node)
    script = (
        f"import('{TRACKER.as_uri()}').then(async () => {{ const before = Object.keys(recsite);"
        f" await import('{PUSH.as_uri()}');"
        " console.log(JSON.stringify(Object.keys(recsite).filter((name) => !before.includes(name)))); })"
    )
    done = subprocess.run([program, "--eval", script], check=True, capture_output=True, text=True)
    [body] = re.findall(r"  interface RecsiteTracker \{(.*?)\n  \}", PUSH.with_suffix(".d.ts").read_text(), re.DOTALL)
    assert set(re.findall(r"^    (\w+)[(:]", body, re.MULTILINE)) == set(json.loads(done.stdout))


def test_notifications_are_a_small_file() -> None:
    assert len(gzip.compress(PUSH.read_bytes(), mtime=0)) <= LARGEST
