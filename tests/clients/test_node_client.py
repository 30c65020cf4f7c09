"""The Node client: made from the schema as it is, it asks what the Python client asks, and never lies either."""

import json
import os
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recommendations.api.schema import document
from recsite_client import Client
from recsite_client.privacy import PrivacyCalls
from tests.clients.conftest import Need, Recsite, Server
from tests.clients.hostile import DONE, GOOD, REFUSED, SLOW, TIMEOUT, HostileServer
from tests.clients.test_python_schema import CALLS, OF_THE_PAST, requests_of
from tests.lengths import cases
from tools import clients

pytestmark = pytest.mark.django_db

USES = Path(__file__).parent / "uses"
CLIENT = (clients.NODE_CLIENT / "dist/index.js").as_uri()
HOSTILE_CALLS = cases(short=1_000, full=4_000)
AT_ONCE = 80
SEED = 20261129
FRESH = re.compile(r'"(event_id|timestamp)":"[^"]*"')
"""What an event has of its own."""


@pytest.fixture(scope="module")
def node(needed: Callable[[Need[Any]], Any]) -> Callable[..., str]:
    """Runner of a script by Node; what it printed."""
    program = needed(clients.node)

    def run(script: str, *arguments: str, before: tuple[str, ...] = (), **environment: str) -> str:
        argv = [program, *before, str(USES / script), *arguments]
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3_000:]
        return done.stdout

    return run


def test_it_is_made_from_the_schema_as_it_is(needed: Callable[[Need[Any]], Any], tmp_path: Path) -> None:
    """Where this fails: ``make clients``."""
    needed(clients.npm_packages)
    clients.build(clients.as_json(document()), tmp_path)
    made = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert made.keys() >= {"schema.d.ts", "dist/index.js", "dist/index.d.ts"}
    stale = [name for name, text in made.items() if (clients.NODE_CLIENT / name).read_text() != text]
    assert stale == []
    committed = {str(path.relative_to(clients.NODE_CLIENT)) for path in (clients.NODE_CLIENT / "dist").iterdir()}
    assert committed == made.keys() - {"schema.d.ts"}


def test_it_needs_nothing_but_node() -> None:
    package = json.loads((clients.NODE_CLIENT / "package.json").read_text())
    assert not package.get("dependencies")
    assert (package["type"], package["engines"]) == ("module", {"node": ">=20"})
    assert "resolved" not in (clients.NODE_CLIENT / "package-lock.json").read_text()
    sources = "".join(path.read_text() for path in (clients.NODE_CLIENT / "dist").glob("*.js"))
    assert set(re.findall(r'from "([^"]+)"', sources)) == {
        f"./{path.name}" for path in (clients.NODE_CLIENT / "dist").glob("*.js") if path.name != "index.js"
    }


def test_its_methods_are_those_of_the_python_client(node: Callable[..., str]) -> None:
    script = f"import('{CLIENT}').then((all) => console.log(Object.getOwnPropertyNames(all.Client.prototype).join()))"
    done = subprocess.run([clients.node(), "--eval", script], check=True, capture_output=True, text=True)
    names = {re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", name) for name in done.stdout.strip().split(",")}
    own = {**vars(PrivacyCalls), **vars(Client)}
    public = {name for name, value in own.items() if callable(value) and not name.startswith("_")}
    assert names - {"constructor"} == public - {"close"}  # Node's own pool ends with the process


def test_it_asks_what_the_python_client_asks(node: Callable[..., str], server: Server) -> None:
    python = [request for _, call, _ in CALLS + OF_THE_PAST for request in requests_of(call, server)]
    server.got.clear()
    answers = json.loads(node("calls.mjs", CLIENT, f"http://127.0.0.1:{server.server_port}", "a.b", "--past"))
    assert len(answers) == len(CALLS + OF_THE_PAST)
    assert [same(request) for request in server.got] == [same(request) for request in python]


def same(request: tuple[str, bytes]) -> tuple[str, list[str], Any]:
    """A request without what is its own, and in one order."""
    line, body = request
    address, _, query = line.partition("?")
    return address, sorted(query.split("&")), json.loads(FRESH.sub('"one":""', body.decode()) or "null")


def test_real_answers_come_through(node: Callable[..., str], trained: Recsite) -> None:
    answers = json.loads(node("calls.mjs", CLIENT, trained.url, trained.server_key))
    for answer, (_name, _call, kind) in zip(answers, CALLS, strict=True):
        msgspec.convert(answer, kind or type(None))


def test_it_bears_what_the_python_client_bears(node: Callable[..., str]) -> None:
    said = node("client.test.mjs", before=("--test", "--test-reporter=tap"), CLIENT=CLIENT)
    assert int(re.search(r"# pass (\d+)", said)[1]) >= 13  # type: ignore[index]
    assert "# fail 0" in said


def test_every_call_has_the_right_answer_or_a_recsite_error(node: Callable[..., str]) -> None:
    begin = time.monotonic()
    with HostileServer(SEED) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        arguments = (CLIENT, server.url, str(HOSTILE_CALLS), str(AT_ONCE), str(1_000 * TIMEOUT))
        outcomes = json.loads(node("hostile.mjs", *arguments))
        server.shutdown()
    assert time.monotonic() - begin < 60
    counts = Counter(outcomes)
    assert counts.total() == HOSTILE_CALLS
    assert counts.keys() == {"right", "UnreachableError", "MisdirectedError", "RedirectedError", "ProblemError"}
    assert counts["right"] > HOSTILE_CALLS / 4
    assert server.met.keys() == {*GOOD, *DONE, *REFUSED, *SLOW}
    lost = [number for number, outcome in enumerate(outcomes) if outcome == "right" and number % 2 == 0]
    assert [number for number in lost if f"e{number}" not in server.stored] == []
