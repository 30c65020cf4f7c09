"""What ``whole_run.py`` asks of the product itself, with its servers there: each command prints one JSON object.

``open`` makes an empty shop, ``fill FOLDER`` imports the files there, ``demo`` the demo's purchases; ``facts NUMBER``
tells of the run after so many, ``web NUMBER ANSWERS`` measures the web processes, asked by so many customers.
"""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import msgspec

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db.models import Sum  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.growth.samples import private_and_shared  # noqa: E402
from bench.web.connection import Connection, request  # noqa: E402
from bench.web.load import Order, Seen  # noqa: E402
from bench.web.servers import Server, free_port, tree, web  # noqa: E402
from recommendations.models import Artefact, Item, ModelVersion, Run  # noqa: E402
from recommendations.services.access.keys import create_key, revoke_key  # noqa: E402
from recommendations.services.operations import housekeeping  # noqa: E402
from recommendations.store.models import records  # noqa: E402
from recommendations.terms import RunStatus, Scope  # noqa: E402

ADDRESS = "/api/v1/placements/home/recommend/?user_id={who}&n=20"
THREADS = 18  # threads of a web process as the supervisor starts it
SEED = 0


def opened() -> dict[str, Any]:
    call_command("migrate", verbosity=0, interactive=False)
    if not Path(settings.STATIC_ROOT).exists():  # without them no web process is ready
        call_command("collectstatic", verbosity=0, interactive=False)
    return {"partitions": housekeeping.prepare_partitions(now=timezone.now())}


def filled(folder: str, goes_on: str) -> dict[str, Any]:
    """Import what was not imported before. A run that a killed process left ends, so that the next begins anew, unless
    it ``goes_on``; then it is not among the runs before.
    """
    opened()
    made = Path(folder) / "made"
    made.mkdir(exist_ok=True)
    files = Path(folder) / "files"
    for path in (files / "items.csv", *sorted(files.glob("events-*.parquet"))):
        mark, began = made / path.stem, time.monotonic()
        if not mark.exists():
            call_command("import_items" if path.suffix == ".csv" else "import_events", str(path), strict=True)
            mark.write_text(f"{time.monotonic() - began:.1f}\n", encoding="ascii")
    if goes_on == "no":
        Run.objects.unfinished().update(status=RunStatus.FAILED, finished_at=timezone.now())
    left = Run.objects.unfinished().count()
    return {"runs": Run.objects.count() - left, "goes_on": bool(left)}


def demo() -> dict[str, Any]:
    """Take in the demo's year of purchases, where it is not there."""
    opened()
    if not Run.objects.exists() and not Item.objects.exists():
        call_command("load_complete_journey", verbosity=0)
    return {"items": Item.objects.count()}


def facts(before: str) -> dict[str, Any]:
    """How the run ended that came after so many, when its stages began and ended, what they counted, what it left."""
    run = Run.objects.order_by("created_at")[int(before) :].first()
    if run is None:
        return {"status": "none", "message": "", "live": False, "artefact_bytes": 0, "record_bytes": 0, "stages": []}
    version = ModelVersion.objects.filter(run=run).first()
    files = Artefact.objects.filter(version=version)
    of_records = files.filter(name__startswith=f"{records.FOLDER}/")
    return {
        "status": run.status,
        "message": run.message,
        "live": bool(version and version.is_live),
        "artefact_bytes": files.aggregate(size=Sum("size"))["size"] or 0,
        "record_bytes": of_records.aggregate(size=Sum("size"))["size"] or 0,
        "stages": [
            {
                "stage": str(row), "status": row.status, "counts": row.counts,
                "began": row.started_at.timestamp() if row.started_at else None,
                "ended": row.finished_at.timestamp() if row.finished_at else None,
            }
            for row in run.stages.all()
        ],
    }  # fmt: skip


def of_web(customers: str, answers: str) -> dict[str, Any]:
    """Seconds to the first answer, latencies and memory of both web processes after so many answers of each.

    Both run, as the supervisor starts both: what they map of the model is shared. ``mb`` is of the process that
    answers, ``mb_of_all`` of Granian's that started it, too.
    """
    draw = random.Random(SEED)  # noqa: S311 - an order of requests, no secret
    asked = [ADDRESS.format(who=f"c{draw.randrange(int(customers))}") for _ in range(int(answers))]
    pages = {"PAGES_URL": f"http://127.0.0.1:{free_port()}"}
    with _key() as key, _started(asked[0], key, pages) as (one, start), _started(asked[0], key, {}) as (other, later):
        both = {"web": (one, start), "pages": (other, later)}
        answered = {name: _answered(server, asked, key) for name, (server, _) in both.items()}
        return {name: began | answered[name] | _memory(server) for name, (server, began) in both.items()}


@contextmanager
def _started(path: str, key: str, env: Mapping[str, str]) -> Iterator[tuple[Server, dict[str, Any]]]:
    """A web process that has given its first answer, and what that took."""
    began = time.perf_counter()
    with web("recsite.wsgi:application", up="/healthz", env=env, threads=THREADS) as server:
        connection = Connection(server.port)
        status, _ = connection.send(request("GET", path, key=key))
        seconds = time.perf_counter() - began
        connection.close()
        figures = {"start_seconds": round(seconds, 2), "start_cpu_seconds": round(server.cpu_seconds, 2)}
        yield server, figures | {"first_status": status}


def _answered(server: Server, asked: list[str], key: str) -> dict[str, Any]:
    order = Order(port=server.port, connections=1, requests=len(asked), paths=asked, authorization=f"Api-Key {key}")
    load = [sys.executable, "-m", "bench.web.load"]
    cpu = server.cpu_seconds
    done = subprocess.run(load, input=msgspec.json.encode(order), capture_output=True, check=True)
    cpu = server.cpu_seconds - cpu
    seen = msgspec.json.decode(done.stdout, type=Seen)
    return {
        "p50_ms": round(seen.p50, 2), "p99_ms": round(seen.p99, 2), "cpu_ms": round(cpu / len(asked) * 1000, 2),
        "wrong": seen.wrong,
    }  # fmt: skip


def _memory(server: Server) -> dict[str, Any]:
    parts = [private_and_shared(pid) for pid in tree(server.process.pid)]
    worker = max(parts, key=lambda part: part["resident"])
    return {
        "mb": {name: round(value, 1) for name, value in worker.items()},
        "mb_of_all": {name: round(sum(part[name] for part in parts), 1) for name in parts[0]},
    }


@contextmanager
def _key() -> Iterator[str]:
    key, secret = create_key(
        name="bench", scopes=[Scope.RECOMMENDATIONS_READ], by=None, requests_per_minute=100_000_000
    )
    try:
        time.sleep(1)
        yield f"{key.prefix}.{secret}"
    finally:
        revoke_key(key=key, by=None)


COMMANDS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "open": opened, "fill": filled, "demo": demo, "facts": facts, "web": of_web,
}  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])) + "\n")
