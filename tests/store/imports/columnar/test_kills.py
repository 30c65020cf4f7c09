"""An import whose process is killed (-9): nothing of it is seen, and the next one clears up and takes all."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from recommendations.models import Event, Import, Item
from recommendations.store.imports import event_import, import_record
from recommendations.store.temp_tables import rows
from tests.lengths import cases
from tests.store.imports.columnar.event_files import ITEMS, NOW, left, load, sound, write

pytestmark = pytest.mark.django_db(transaction=True)
PROGRAM = Path(__file__).with_name("killed_import.py")
EVENTS = 2_000


def killed(path: Path, *, at: int) -> int:
    """How a process ended that imported a file, and was killed at its so-manieth word."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    own = {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": url}
    own["PYTHONPATH"] = str(Path(__file__).resolve().parents[4])
    program = [sys.executable, str(PROGRAM), str(path), NOW.isoformat(), str(at)]
    return subprocess.run(program, env=os.environ | own, check=False, timeout=120, capture_output=True).returncode


def test_nothing_is_half_there_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_import, "COLUMNAR_FROM", 0)
    Item.objects.bulk_create(Item(shop_id=shop_id, title=shop_id) for shop_id in ITEMS)
    chance = random.Random(20)
    path = write(tmp_path / "events.csv", [row for _ in range(EVENTS) for row in sound(chance)])
    words: list[str] = []
    whole = left(load(path, report=lambda step, *_: words.append(step)))
    Event.objects.all().delete()
    last_word = len(words)
    assert {"reading", "keys", "events"} <= {*words}
    points = range(1, last_word + 1) if cases(short=0, full=1) else (words.index("keys") + 2, last_word)
    for point in points:
        assert killed(path, at=point) == -signal.SIGKILL
        assert not Event.objects.exists()
        assert Import.objects.latest("pk").status == Import.Status.RUNNING
    assert left_over() > 0
    wait_until_servers_notice()
    again = load(path)
    assert left(again).events == whole.events
    assert left(again).figures == whole.figures
    assert left_over() == 0
    assert set(Import.objects.values_list("status", flat=True)) == {Import.Status.FINISHED, Import.Status.FAILED}


def wait_until_servers_notice() -> None:
    """Wait until PostgreSQL has ended the sessions of processes that were killed in the midst of a statement."""
    until = time.monotonic() + 60
    while import_record.under_way():
        assert time.monotonic() < until
        time.sleep(0.1)


def left_over() -> int:
    return len(rows("SELECT FROM pg_class WHERE relname ~ '^import_' AND relkind = 'r'"))
