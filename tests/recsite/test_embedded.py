"""The embedded servers: real, kept, shared, started again when killed, and gone with whoever started them."""

import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.architecture.source import ROOT
from tests.recsite.processes import Family, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' process table")

WRAPPER = [sys.executable, "-m", "recsite.embedded"]
TELL = "import json, os, time; print(json.dumps(dict(os.environ)), flush=True); time.sleep(float(os.environ['STAY']))"
COMMAND = ["--", sys.executable, "-c", TELL]
GIVEN = ("DATABASE_URL", "REDIS_URL", "DATA", "RECSITE_DEMO", "SECRET_KEY", "PSEUDONYM_KEY", "MAKE", "MFLAGS")

type Start = Callable[..., Family]


def environment(stay: float) -> dict[str, str]:
    """Our environment, without the servers that this test run itself was given."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(GIVEN)}
    return ours | {"STAY": str(stay)}


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can pass through, which pytest's is not."""
    folder = Path(tempfile.mkdtemp(prefix="recsite-embedded-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start() -> Iterator[Start]:
    families: list[Family] = []

    def begin(*argv: str | Path, stay: float = 60, **more: str) -> Family:
        process = subprocess.Popen(
            [str(part) for part in argv],
            cwd=ROOT,
            env=environment(stay) | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        families.append(Family(process))
        return families[-1]

    yield begin
    for family in families:
        family.end()
        for stream in (family.process.stdout, family.process.stderr):
            if stream:
                stream.close()


def told(family: Family) -> dict[str, str]:
    """Environment of the command, once it is up, and so are the servers."""
    assert family.process.stdout
    line = family.process.stdout.readline()
    assert line, family.process.stderr.read() if family.process.stderr else ""
    family.members()
    return dict(json.loads(line))


def version(url: str) -> str:
    with psycopg.connect(url, connect_timeout=2) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else ""


def answers(url: str) -> bool:
    try:
        if url.startswith("postgresql"):
            return bool(version(url))
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.ping())
    except (psycopg.OperationalError, redis.RedisError):
        return False


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_no_process_outlives_the_wrapper(start: Start, data: Path, name: str) -> None:
    family = start(*WRAPPER, "--data", data, *COMMAND)
    env = told(family)
    assert version(env["DATABASE_URL"]).startswith("18.")
    assert len(family.members()) >= 4
    family.process.send_signal(signal.Signals[name])
    assert family.is_gone(seconds=20), family.members()
    assert not answers(env["DATABASE_URL"])
    assert not answers(env["REDIS_URL"])


def test_servers_whose_script_ends_say_so(start: Start, data: Path) -> None:
    """``python -m recsite.embedded … &`` in a script that ends goes with it; nobody would know why."""
    command = shlex.join([*map(str, WRAPPER), "--data", str(data), *map(str, COMMAND)])
    family = start("bash", "-c", f"{command} & while [ ! -e {data}/told ]; do sleep 0.1; done")
    told(family)
    (data / "told").touch()
    assert family.is_gone(seconds=30), family.members()
    words = "The program that started recsite.embedded has ended, so the servers end with it."
    assert words in (data / "embedded.log").read_text(encoding="utf-8")
    assert family.process.stderr
    assert words in family.process.stderr.read()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_no_process_outlives_make(start: Start, data: Path, tmp_path: Path, name: str) -> None:
    """Make passes on SIGTERM only; the other signals the wrapper has to notice."""
    recipe = f"demo:\n\t@exec {sys.executable} -m recsite.embedded --data {data} -- {sys.executable} tell.py\n"
    (tmp_path / "Makefile").write_text(recipe, encoding="utf-8")
    (tmp_path / "tell.py").write_text(TELL, encoding="utf-8")
    family = start("make", "-C", tmp_path, "--no-print-directory", "demo", PYTHONPATH=str(ROOT))
    told(family)
    family.process.send_signal(signal.Signals[name])
    assert family.is_gone(seconds=20), family.members()


def test_data_are_kept_and_secrets_are_private(start: Start, data: Path) -> None:
    first = start(*WRAPPER, "--data", data, *COMMAND)
    env = told(first)
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    with redis.Redis.from_url(env["REDIS_URL"]) as client:
        client.set("kept", "7")
    for name in ("secret_key", "pseudonym_key", "servers.json"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
    files = [path for path in data.iterdir() if not path.is_symlink()]
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
    first.process.terminate()
    assert first.is_gone(seconds=20)

    again = told(start(*WRAPPER, "--data", data, *COMMAND))
    with psycopg.connect(again["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    with redis.Redis.from_url(again["REDIS_URL"]) as client:
        assert client.get("kept") == b"7"
    assert Path(again["SECRET_KEY_FILE"]).read_text(encoding="utf-8").startswith("demo-")
    assert again["SECRET_KEY_FILE"] == env["SECRET_KEY_FILE"]


def test_a_second_run_shares_the_servers_of_the_first(start: Start, data: Path) -> None:
    owner = start(*WRAPPER, "--data", data, *COMMAND)
    env = told(owner)
    begin = time.monotonic()
    guest = start(*WRAPPER, "--data", data, *COMMAND, stay=0)
    assert told(guest)["DATABASE_URL"] == env["DATABASE_URL"]
    assert guest.is_gone(seconds=10)
    assert time.monotonic() - begin < 10
    assert answers(env["DATABASE_URL"])
    assert answers(env["REDIS_URL"])


@pytest.mark.parametrize(("words", "variable"), [("bin/postgres", "DATABASE_URL"), ("valkey-server", "REDIS_URL")])
def test_a_killed_server_comes_back_at_its_address(start: Start, data: Path, words: str, variable: str) -> None:
    family = start(*WRAPPER, "--data", data, *COMMAND)
    url = told(family)[variable]
    killed = family.find(words)
    os.kill(killed, signal.SIGKILL)
    assert wait_for(lambda: family.find(words) not in {0, killed} and answers(url), seconds=30)


def test_a_run_starts_right_after_a_killed_one(start: Start, data: Path) -> None:
    first = start(*WRAPPER, "--data", data, *COMMAND)
    told(first)
    first.process.kill()
    assert answers(told(start(*WRAPPER, "--data", data, *COMMAND))["DATABASE_URL"])


def test_a_run_while_another_ends_gets_servers_that_stay(start: Start, data: Path) -> None:
    """The first run's command takes its time to end; the second must not join servers that go with it."""
    linger = "import signal; signal.signal(signal.SIGTERM, lambda *_: time.sleep(3) or exit()); "
    first = start(*WRAPPER, "--data", data, "--", sys.executable, "-c", TELL.replace("time;", f"time; {linger}"))
    told(first)
    first.process.terminate()
    assert wait_for(lambda: not (data / "servers.json").exists(), seconds=2)
    second = told(start(*WRAPPER, "--data", data, *COMMAND))
    assert first.is_gone(seconds=10)
    assert answers(second["DATABASE_URL"])
    assert answers(second["REDIS_URL"])


def test_a_lock_that_names_another_program_is_forgotten(start: Start, data: Path) -> None:
    """After a restart of the machine the id in PostgreSQL's lock may be anybody's."""
    first = start(*WRAPPER, "--data", data, *COMMAND)
    told(first)
    first.process.terminate()
    assert first.is_gone(seconds=20)
    other = os.getpid()
    (data / "pgdata/postmaster.pid").write_text(f"{other}\n{data}/pgdata\n1\n5432\n{data}/run\n\n", encoding="utf-8")
    assert answers(told(start(*WRAPPER, "--data", data, *COMMAND))["DATABASE_URL"])


def test_the_ephemeral_folder_goes_with_the_run(start: Start) -> None:
    family = start(*WRAPPER, "--ephemeral", *COMMAND, stay=0)
    folder = Path(told(family)["DATA"])
    assert family.is_gone(seconds=20)
    assert family.process.returncode == 0
    assert not folder.exists()


def test_servers_that_are_named_are_not_started(start: Start, data: Path) -> None:
    given = {"DATABASE_URL": "postgresql://shop.example/recsite", "REDIS_URL": "redis://shop.example/0"}
    family = start(*WRAPPER, "--data", data, *COMMAND, stay=0, **given)
    env = told(family)
    assert {name: env[name] for name in given} == given
    assert family.is_gone(seconds=10)
    assert not (data / "pgdata").exists()
    assert not (data / "valkey").exists()


def test_the_status_of_the_command_is_ours(start: Start, data: Path) -> None:
    family = start(*WRAPPER, "--data", data, "--", sys.executable, "-c", "raise SystemExit(7)")
    assert family.is_gone(seconds=30)
    assert family.process.returncode == 7


def test_a_command_that_does_not_exist_is_named(start: Start, data: Path) -> None:
    family = start(*WRAPPER, "--data", data, "--", "no-such-program")
    assert family.is_gone(seconds=30)
    assert family.process.returncode == 1
    assert family.process.stderr
    assert "no-such-program cannot be run" in family.process.stderr.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as another user")
def test_a_closed_folder_stays_closed(start: Start, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    family = start(*WRAPPER, "--data", tmp_path / "data", *COMMAND)
    assert answers(told(family)["DATABASE_URL"])
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    family.process.terminate()
    assert family.is_gone(seconds=20)
    link = tmp_path / "data/pgdata"
    assert link.is_symlink()
    shutil.rmtree(link.resolve().parent)
