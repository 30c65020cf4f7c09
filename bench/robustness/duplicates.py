"""Duplicates: does a run learn the same where acts are told twice? ``make bench-noise`` runs it, on its own servers.

An invented grocery of sixty customers, half of whose orders came in a file and half from the shop's server; before each
order its first item was looked at. Then 2 % of the lines are told again, by requests to the API, in each of three ways:

- exact: an event once more, as a retry sends it;
- near: a look once more under another id, four tenths of a second later, as a double click sends it;
- another source: orders of the file by the server, three seconds later, and those of the server by a page.

The bars: every artefact of a run that knows of them is, SHA-256 by SHA-256, that of a run on the same record without
them (but for the picture of the segments, which follows that of the run before); no retry is stored, and all others
are, so that it is the run that tells them apart.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import django
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
django.setup()

import msgspec  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.attacks.invented import timed_run  # noqa: E402
from bench.bars import Figure, report  # noqa: E402
from recommendations.event_types import EventName  # noqa: E402
from recommendations.models import Customer, Event  # noqa: E402
from recommendations.services.access.keys import create_key  # noqa: E402
from recommendations.store.events.pseudonyms import pseudonym  # noqa: E402
from recommendations.terms import Scope, Side, Trust  # noqa: E402
from tests.grocery import CUSTOMERS_EACH, open_shop  # noqa: E402

SHARE = 0.02  # of the lines, for each way
HALF_A_DAY, OF_A_PAGE = timedelta(hours=12), timedelta(hours=20)  # a page may tell of the last 24 hours
LOOK, DOUBLE_CLICK, LATER = timedelta(minutes=10), timedelta(milliseconds=400), timedelta(seconds=3)
NO_LIMIT = 2**31 - 1


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = options.parse_args(argv)
    call_command("migrate", verbosity=0, interactive=False)
    furnish(now=timezone.now())
    timed_run(timezone.now())  # the first one has no other before it
    lines, begin = Event.objects.count(), timezone.now()
    sent, taken = tell_again(np.random.default_rng(given.seed))
    now = timezone.now()
    told = Event.objects.filter(received_at__gte=begin)
    stored = told.count()
    anchor(now)
    _seconds, knowing = timed_run(now + LATER)
    told.exclude(occurred_at=now).delete()
    _seconds, plain = timed_run(now + LATER)
    differing = sorted(name for name in plain.keys() | knowing.keys() if plain.get(name) != knowing.get(name))
    figures = [
        Figure(f"artefacts that differ, of {len(plain)}", len(differing), most=0),
        Figure(f"retries that were stored, of {sent['exact']} lines", taken["exact"], most=0),
        Figure(f"other repeats that were not, of {sent['near'] + sent['source']} lines",
               sent["near"] + sent["source"] - stored, most=0),
    ]  # fmt: skip
    protocol = {"seed": given.seed, "lines": lines, "sent": sent, "differing": differing}
    return report(figures, protocol=protocol, path=given.json)


def furnish(*, now: datetime) -> None:
    """The grocery, with the half of the orders that came in a file, and a look before each."""
    open_shop(now=now + HALF_A_DAY)  # its last orders are a day older: half a day ago
    orders = sorted({str(order) for order in Event.objects.values_list("transaction_id", flat=True)})
    Event.objects.filter(transaction_id__in=orders[::2]).update(trust=Trust.IMPORT)
    Event.objects.bulk_create(
        Event(
            customer_id=line.customer_id, item_id=line.item_id, name=EventName.VIEW_ITEM, event_id=uuid4(),
            occurred_at=line.occurred_at - LOOK, received_at=line.occurred_at - LOOK, trust=Trust.SERVER,
            session_id=f"s-{line.transaction_id}",
        )
        for line in Event.objects.filter(line=0)
    )  # fmt: skip


def anchor(now: datetime) -> None:
    """Add the newest act of the record, so that both runs end their windows at it."""
    newest = Event.objects.filter(name=EventName.VIEW_ITEM).order_by("-occurred_at")[0]
    Event.objects.create(
        customer_id=newest.customer_id, item_id=newest.item_id, name=newest.name, event_id=uuid4(), occurred_at=now,
        received_at=now, trust=newest.trust, session_id="s-newest",
    )  # fmt: skip


def tell_again(draw: np.random.Generator) -> tuple[dict[str, int], dict[str, int]]:
    """Tell drawn lines again, each in its way: how many lines were sent, and how many were taken, by way."""
    lines = Event.objects.select_related("item", "customer").order_by("occurred_at", "event_id", "line")
    n = round(SHARE * lines.count())
    bought, seen = (list(lines.filter(name=name)) for name in (EventName.PURCHASE, EventName.VIEW_ITEM))
    filed = [line for line in bought if line.trust == Trust.IMPORT]
    own = [line for line in bought if line.trust != Trust.IMPORT]
    late = [line for line in own if line.occurred_at > timezone.now() - OF_A_PAGE]
    server, page = (_door(side) for side in (Side.SERVER, Side.PAGE))
    ways = {
        "exact": [(server, [_said(one, late=timedelta(0), again=True) for one in _drawn(draw, own, n)])],
        "near": [(server, [_said(one, late=DOUBLE_CLICK) for one in _drawn(draw, seen, n)])],
        "source": [
            (server, [_said(one, late=LATER) for one in _drawn(draw, filed, n // 2)]),
            (page, [_said(one, late=LATER, nameless=True) for one in _drawn(draw, late, n - n // 2)]),
        ],
    }
    sent = {way: sum(len(events) for _door, events in parts) for way, parts in ways.items()}
    taken = {way: sum(_accepted(door, events) for door, events in parts) for way, parts in ways.items()}
    return sent, taken


def _drawn(draw: np.random.Generator, lines: Sequence[Event], n: int) -> Iterable[Event]:
    return [lines[at] for at in sorted(draw.permutation(len(lines))[:n].tolist())]


def _said(line: Event, *, late: timedelta, again: bool = False, nameless: bool = False) -> dict[str, Any]:
    """An event of one line as a sender says it; ``again``: under its own id, as a retry, with all of its lines."""
    lines = Event.objects.filter(event_id=line.event_id) if again else Event.objects.filter(pk=line.pk)
    who = {"anonymous_id": "bench-page"} if nameless else {"user_id": _users()[line.customer_id]}
    sold = lines.order_by("line").values_list("item__shop_id", "item__price")
    items = [{"item_id": item, "quantity": 1, "price": str(price)} for item, price in sold]
    event = {
        "event_id": str(line.event_id if again else uuid4()), "name": line.name, "items": items, **who,
        "timestamp": (line.occurred_at + late).isoformat(),
    }  # fmt: skip
    if line.transaction_id:
        return {**event, "transaction_id": line.transaction_id}
    return {**event, "session_id": line.session_id}


@cache
def _users() -> Mapping[int | None, str]:
    """The shop's ids of the customers, by key."""
    ids = {pseudonym(f"u{number}"): f"u{number}" for number in range(5 * CUSTOMERS_EACH)}
    return {key: ids[bytes(own)] for key, own in Customer.objects.values_list("pk", "pseudonym") if bytes(own) in ids}


def _door(side: Side) -> str:
    row, secret = create_key(
        name=f"Bench, {side}", scopes=[Scope.EVENTS_WRITE], by=None, side=side, requests_per_minute=NO_LIMIT,
        lines_per_minute=NO_LIMIT, new_people_per_hour=NO_LIMIT,
    )  # fmt: skip
    return f"{row.prefix}.{secret}"


def _accepted(key: str, events: Sequence[Mapping[str, Any]]) -> int:
    """Send the events; how many were accepted as new ones."""
    answer = Client(SERVER_NAME="127.0.0.1").post(
        "/api/v1/events/", msgspec.json.encode({"events": events}), content_type="application/json",
        headers={"Authorization": f"Api-Key {key}"},
    )  # fmt: skip
    if answer.status_code != 202:
        raise SystemExit(f"{answer.status_code}: {answer.content[:500]!r}")
    return [row["verdict"] for row in answer.json()["results"]].count("accepted")


if __name__ == "__main__":
    sys.exit(main())
