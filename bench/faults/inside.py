"""Commands that only the product itself can run, as a program beside it: each prints one JSON object.

``open SEED…`` makes the tables, the grocery of the tests, one run of the loop for each seed and an API key; ``flip``
makes the version live whose key comes in a line; ``behind`` holds Valkey's live state against the record;
``push_…`` are those of ``outbox.py``; ``experiment``, ``read`` and ``totals`` begin, read and sum up an experiment.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.models import Max  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.faults import outbox, tested  # noqa: E402
from recommendations.loop.run import run_loop  # noqa: E402
from recommendations.models import BlendWeights, Event, Item, ModelVersion, Staff  # noqa: E402
from recommendations.services.access.keys import create_key  # noqa: E402
from recommendations.services.operations.runs import start_run  # noqa: E402
from recommendations.services.operations.versions import make_live  # noqa: E402
from recommendations.store.live import fetch, writes  # noqa: E402
from recommendations.store.live.record import end_of_history  # noqa: E402
from recommendations.store.live.state import INTEREST, KEPT_IN, RECENT_ACTS  # noqa: E402
from recommendations.terms import RunStatus, Scope  # noqa: E402
from tests.grocery import open_shop  # noqa: E402

STAFF = ("ada@example.com", "correct horse battery")
NO_LIMIT = 100_000_000  # requests a minute
# The seed speaks through the factors, so that versions differ for everybody.
OF_SEED = {
    "home": {"als": 0.6, "ease_home": 0.4},
    "discover": {"als_discover": 0.6, "ease_discover": 0.4},
}


def opened(*seeds: str) -> dict[str, Any]:
    call_command("migrate", verbosity=0, interactive=False)
    open_shop(now=timezone.now())
    versions = [learned(int(seed)) for seed in seeds]
    for blend, weights in OF_SEED.items():
        BlendWeights.objects.defaults().of_group(None).filter(blend__name=blend).update(weights=weights)
    writes.rebuild()
    scopes = [Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ]
    key, secret = create_key(
        name="faults", scopes=scopes, by=None, requests_per_minute=NO_LIMIT, lines_per_minute=NO_LIMIT
    )
    Staff.objects.create_superuser(*STAFF)
    static()  # without them no web process is ready
    items = list(Item.objects.order_by("pk").values_list("shop_id", flat=True))
    return {"key": f"{key.prefix}.{secret}", "versions": versions, "items": items, "customers": 60, "staff": STAFF}


def learned(seed: int) -> int:
    run = start_run(by=None, now=timezone.now(), seed=seed, in_worker=False)
    if run_loop(run.pk, clock=timezone.now) is not RunStatus.SUCCEEDED:
        run.refresh_from_db()
        raise SystemExit(f"the run ended as {run.status}: {run.message}")
    return ModelVersion.objects.live().get().pk


def flip() -> dict[str, Any]:
    """Flip versions: a line with a key in, a line out when that version is live."""
    flips = 0
    for line in sys.stdin:
        version = ModelVersion.objects.get(pk=int(line))
        make_live(version=version, by=None, now=timezone.now(), note="a flip under load")
        flips += 1
        sys.stdout.write(f"{version.pk}\n")
        sys.stdout.flush()
    return {"flips": flips}


def behind() -> dict[str, Any]:
    """Count API events that the record knows and Valkey does not; of interest it keeps the newest of each customer.

    Trade before the end of the live model's history is the model's to know.
    """
    since = end_of_history() or datetime.min.replace(tzinfo=UTC)
    acts = Event.objects.filter(source="api", customer__isnull=False, item__isnull=False, name__in=list(KEPT_IN))
    rows = acts.values_list("customer", "name", "item").annotate(at=Max("occurred_at")).order_by("customer")
    lacking: Counter[int] = Counter()
    for customer, group in groupby(rows.iterator(), key=itemgetter(0)):
        state = fetch.state_of(customer, since=None).state
        recent = {(act.item, str(act.name)): act.at for act in state.recent}
        oldest = min(recent.values()) if len(recent) == RECENT_ACTS else 0
        for _, name, item, at in group:
            moment = at.timestamp() - 1e-3
            traded = name not in INTEREST
            newest = state.bought.get(item, 0) if traded else recent.get((item, name), 0)
            wanted = at >= since if traded else moment > oldest
            lacking[customer] += newest < moment and wanted
    return {"customers": sum(map(bool, lacking.values())), "acts": lacking.total()}


def static() -> dict[str, Any]:
    """Hash and compress what pages refer to."""
    call_command("collectstatic", verbosity=0, interactive=False)
    return {}


def start(seed: str) -> dict[str, Any]:
    return {"run": str(start_run(by=None, now=timezone.now(), seed=int(seed)).pk)}


COMMANDS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "open": opened, "flip": flip, "behind": behind, "static": static, "start": start,
    **outbox.COMMANDS, "experiment": tested.begin, "read": tested.read_on, "totals": tested.settled,
}  # fmt: skip


def main(argv: Sequence[str]) -> None:
    sys.stdout.write(json.dumps(COMMANDS[argv[0]](*argv[1:])) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
