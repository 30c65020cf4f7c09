"""``make demo`` as somebody runs it who has just cloned the project: real data, one run, pages, API, and the end.

The data are those of 300 households, so that it does not take most of the suite's time; on all of them:
``make check FILE=tests/journeys/test_demo.py HOUSEHOLDS=2469``.
"""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.recsite.processes import Family, wait_for
from tests.recsite.test_embedded import environment

pytestmark = [
    pytest.mark.demo,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' process table"),
]

HOUSEHOLDS = os.environ.get("HOUSEHOLDS", "300")
FIRST_SECONDS = 900  # four minutes on a quiet machine of two cores with all of them
SECOND_SECONDS = 60  # fifteen, there
PORT = 8767


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """The committed and the changed files, in a folder that PostgreSQL's user can pass through; our environment."""
    folder = Path(tempfile.mkdtemp(prefix="recsite-demo-"))
    folder.chmod(0o711)
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "recsite"], check=True)
    copy = folder / "recsite"
    (copy / ".venv").symlink_to(ROOT / ".venv")
    os.utime(copy / "requirements/dev.txt", (0, 0))  # the environment is there already
    yield copy
    shutil.rmtree(folder, ignore_errors=True)


def make_demo(clone: Path, log: Path) -> Family:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "demo"],
            cwd=clone,
            env=environment(0) | {"PORT": str(PORT), "HOUSEHOLDS": HOUSEHOLDS},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    return Family(process)


def wait_until_up(family: Family, clone: Path, log: Path, *, seconds: float) -> dict[str, str]:
    """The credentials, which are printed and written when the pages answer."""

    def printed() -> bool:
        return "Ctrl-C" in log.read_text(encoding="utf-8")

    assert wait_for(lambda: printed() or family.process.poll() is not None, seconds=seconds), "too slow"
    assert printed(), log.read_text(encoding="utf-8")[-3000:]
    return dict(json.loads((clone / ".local/demo.json").read_text(encoding="utf-8")))


def get(url: str, key: str = "") -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Authorization": f"Api-Key {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_make_demo_goes_from_nothing_to_answers_and_back(clone: Path, tmp_path: Path) -> None:
    log = tmp_path / "demo.log"
    family = make_demo(clone, log)
    try:
        credentials = wait_until_up(family, clone, log, seconds=FIRST_SECONDS)
        assert stat.S_IMODE((clone / ".local/demo.json").stat().st_mode) == 0o600
        url, key = credentials["url"], credentials["api_key"]
        assert get(f"{url}readyz")[0] == 200
        assert b"csrfmiddlewaretoken" in get(url)[1]
        status, body = get(f"{url}api/v1/placements/home/recommend/?user_id=19&n=10", key)
        answer = json.loads(body)
        assert (status, len(answer["results"]), answer["source"]) == (200, 10, "model")
        assert get(f"{url}api/v1/placements/home/recommend/?user_id=19")[0] == 401
        family.members()
        family.process.send_signal(signal.SIGINT)
        assert family.is_gone(seconds=30), family.members()

        begin = time.monotonic()
        log = tmp_path / "again.log"
        family = make_demo(clone, log)
        again = wait_until_up(family, clone, log, seconds=SECOND_SECONDS)
        assert time.monotonic() - begin < SECOND_SECONDS
        assert again == credentials
        assert get(f"{url}api/v1/placements/home/recommend/?user_id=19&n=10", key)[0] == 200
        family.members()
        family.process.kill()
        assert family.is_gone(seconds=30), family.members()
    finally:
        family.end()
