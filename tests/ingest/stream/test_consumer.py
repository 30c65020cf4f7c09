"""``manage.py consume_events`` against a broker, PostgreSQL and Valkey: each event once, whoever is killed when."""

import json
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from recommendations.models import Event, Item
from recommendations.services.access.keys import create_key, revoke_key
from recommendations.store.live.stream_lag import read_lag
from recommendations.terms import Scope, Side
from tests.ingest.stream.broker import Broker, broker
from tests.lengths import cases

ROOT = Path(__file__).resolve().parents[3]
AT = timezone.now().replace(microsecond=0) - timedelta(hours=1)
SESSION = 6_000  # milliseconds until the broker gives the part of a killed member to another: the least of a real one
TOPIC, LETTERS = "shop", "shop-refused"
POISON = 7  # one of so many hundred messages breaks a rule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3_600)]


@pytest.fixture
def stream() -> Iterator[Broker]:
    Item.objects.bulk_create(Item(shop_id=f"SKU{number}", title="x") for number in range(50))
    with broker() as one:
        yield one


@pytest.fixture
def prefix() -> str:
    return create_key(name="Stream", scopes=[Scope.EVENTS_WRITE], by=None)[0].prefix


def message(number: int) -> tuple[str, bytes]:
    """An event of one of a hundred customers, by whom messages are keyed."""
    user = f"u{number % 100}"
    event = {
        "event_id": str(uuid.UUID(int=number + 1)), "name": "view_item", "timestamp": AT.isoformat(), "user_id": user,
        "items": [{"item_id": f"SKU{number % 50}"}],
    }  # fmt: skip
    return user, json.dumps(event).encode()


def started(stream: Broker, prefix: str, tmp_path: Path, *more: str) -> subprocess.Popen[str]:
    config = tmp_path / "client.properties"
    config.write_text(f"# of the test\nsession.timeout.ms = {SESSION}\nheartbeat.interval.ms=500\n", encoding="utf-8")
    argv = [
        sys.executable, str(ROOT / "manage.py"), "consume_events", TOPIC, "--bootstrap-server", stream.address,
        "--key", prefix, "--letters", LETTERS, "--config", str(config), *more,
    ]  # fmt: skip
    return subprocess.Popen(
        argv, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )


def ended(process: subprocess.Popen[str], *, seconds: float = 600) -> tuple[str, str]:
    out, err = process.communicate(timeout=seconds)
    return out, err


def test_events_come_once_though_consumers_are_killed_and_messages_repeat(
    stream: Broker, prefix: str, tmp_path: Path
) -> None:
    number, kills = cases(short=4_000, full=1_000_000), cases(short=1, full=20)
    rng = random.Random(0)
    sound = [message(each) for each in range(number)]
    poison = [(key, value[:-1]) for key, value in sound[:: 100 * POISON]]
    stream.send(TOPIC, [*sound, *poison, *rng.sample(sound, number // 20)])
    for kill in range(kills):
        process = started(stream, prefix, tmp_path)
        goal = (kill + 1) * number // (kills + 2)
        wait_for(partial(stored, goal))
        process.kill()
        ended(process)
    out, err = ended(started(stream, prefix, tmp_path, "--until-end"))
    assert "Traceback" not in err
    assert Event.objects.count() == Event.objects.values("event_id").distinct().count() == number
    letters = stream.received(LETTERS, len(poison))
    assert {bytes(letter.value() or b"") for letter in letters} == {value for _key, value in poison}
    headers = dict(letters[0].headers() or [])
    assert json.loads(headers["errors"])[0]["detail"].startswith("The message is no JSON")
    assert (headers["topic"], headers["partition"].isdigit(), headers["offset"].isdigit()) == (b"shop", True, True)
    assert "duplicate" in out or "accepted" in out


def test_it_stops_in_order_and_another_goes_on(stream: Broker, prefix: str, tmp_path: Path) -> None:
    stream.send(TOPIC, map(message, range(500)))
    process = started(stream, prefix, tmp_path)
    wait_for(lambda: Event.objects.count() == 500)
    wait_for(lambda: set((read_lag(now=timezone.now()) or {}).values()) == {0})
    process.terminate()
    out, _err = ended(process, seconds=60)
    assert (process.returncode, out) == (0, "shop: 500 accepted\n")
    stream.send(TOPIC, [*map(message, range(490, 510)), ("u1", None)])
    out, _err = ended(started(stream, prefix, tmp_path, "--until-end"))
    assert out == "shop: 10 accepted, 10 duplicate\n"


def test_a_second_consumer_takes_a_part_and_neither_ends(stream: Broker, prefix: str, tmp_path: Path) -> None:
    stream.send(TOPIC, map(message, range(1_000)))
    first = started(stream, prefix, tmp_path)
    wait_for(partial(stored, 1))
    second = started(stream, prefix, tmp_path)
    end = 1_000
    while second.poll() is None and end < 6_000:  # its parts change hands in the midst of this
        stream.send(TOPIC, map(message, range(end, end + 250)))
        end += 250
        wait_for(partial(stored, end))
        time.sleep(0.5)
    for process in (first, second):
        process.terminate()
    outs = [ended(process, seconds=60)[0] for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    assert all("accepted" in out for out in outs), outs
    assert Event.objects.count() == end


def test_a_message_that_cannot_be_put_aside_is_not_let_go(stream: Broker, prefix: str, tmp_path: Path) -> None:
    stream.send(TOPIC, [*map(message, range(3)), ("u1", b"{" + b" " * 2_000)])
    small = tmp_path / "small.properties"
    small.write_text(f"session.timeout.ms={SESSION}\nmessage.max.bytes=1000\n", encoding="utf-8")
    _out, err = ended(started(stream, prefix, tmp_path, "--config", str(small)), seconds=90)
    assert "What was refused could not be written" in err
    out, _err = ended(started(stream, prefix, tmp_path, "--until-end"))
    assert out == "shop: 3 duplicate, 1 rejected\n"


def test_a_key_that_is_revoked_ends_it(stream: Broker, tmp_path: Path) -> None:
    key, _secret = create_key(name="Stream", scopes=[Scope.EVENTS_WRITE], by=None)
    stream.send(TOPIC, map(message, range(5)))
    process = started(stream, key.prefix, tmp_path)
    wait_for(lambda: Event.objects.count() == 5)
    revoke_key(key=key, by=None)
    _out, err = ended(process, seconds=60)  # every process reads its keys again within seconds
    assert process.returncode == 1
    assert f"No valid API key begins with {key.prefix}" in err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--letters": TOPIC}, "would come for ever"),
        ({"--key": "nothing"}, "No valid API key begins with nothing"),
        ({"--config": "nowhere.properties"}, "nowhere.properties cannot be read"),
        ({"--config": "bad"}, "line 2: write name=value"),
        ({"--config": "unknown"}, "No such configuration property"),
    ],
)
def test_bad_input_says_what_to_write(
    stream: Broker, prefix: str, tmp_path: Path, change: dict[str, str], words: str
) -> None:
    (tmp_path / "bad").write_text("client.id=a\nsasl.password secret-word\n", encoding="utf-8")
    (tmp_path / "unknown").write_text("no.such.option=secret-word\n", encoding="utf-8")
    more = [part if part[:2] == "--" or part not in {"bad", "unknown"} else str(tmp_path / part)
            for pair in change.items() for part in pair]  # fmt: skip
    process = started(stream, prefix, tmp_path, *more)
    _out, err = ended(process, seconds=60)
    assert process.returncode == 1
    assert words in err
    assert "secret-word" not in err
    assert "Traceback" not in err


def test_a_key_in_a_page_is_no_sender(stream: Broker, tmp_path: Path) -> None:
    key, _secret = create_key(
        name="Page", scopes=[Scope.EVENTS_WRITE], by=None, side=Side.PAGE, origins=["https://shop.example"]
    )
    _out, err = ended(started(stream, key.prefix, tmp_path), seconds=60)
    assert "is not of a server" in err


def stored(goal: int) -> bool:
    return Event.objects.count() >= goal


def environment() -> dict[str, str]:
    """The environment of a program that works on the test's own servers."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": url}


def wait_for(holds: Callable[[], bool], *, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
