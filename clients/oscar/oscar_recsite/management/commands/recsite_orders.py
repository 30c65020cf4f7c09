"""``manage.py recsite_orders``: orders to Recsite, for its first training and after a time in which it was away."""

import csv
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone
from oscar.core.loading import get_model

from oscar_recsite import connection
from oscar_recsite.conf import is_on, setting
from oscar_recsite.orders import COLUMNS, names_of, purchase_of, rows_of
from recsite_client import ProblemError, RecsiteError
from recsite_client.bodies import Event

BATCH = 500


class Command(BaseCommand):
    help = "Send orders to Recsite. One that it has is a duplicate: repeating it changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=Path, help="write them as CSV, for import_events, and send nothing")
        parser.add_argument("--days", type=int, help="so many days back; without it all of them")

    def handle(self, *, days: int | None, file: Path | None, **_options: Any) -> None:
        orders = get_model("order", "Order").objects.exclude(status__in=setting("RECSITE_REFUNDED"))
        if days is not None:
            orders = orders.filter(date_placed__gte=timezone.now() - timedelta(days=days))
        orders = orders.order_by("date_placed").prefetch_related("lines")
        if file is None:
            self._send_all(orders)
        else:
            self._write(orders, file)

    def _write(self, orders: QuerySet[Any], file: Path) -> None:
        number = 0
        with file.open("w", encoding="utf-8", newline="") as out:
            table = csv.DictWriter(out, COLUMNS)
            table.writeheader()
            for order in orders.iterator(chunk_size=BATCH):
                rows = list(rows_of(order))
                table.writerows(rows)
                number += bool(rows)
        self.stdout.write(f"{number} orders written to {file}")

    def _send_all(self, orders: QuerySet[Any]) -> None:
        if not is_on():
            raise CommandError("RECSITE_URL and RECSITE_KEY are not set: `manage.py check` says more.")
        events = (purchase_of(order, names_of(order)) for order in orders.iterator(chunk_size=BATCH))
        counts = {"accepted": 0, "duplicates": 0, "rejected": 0}
        for batch in _batches(event for event in events if event is not None):
            for name, number in self._send(batch).items():
                counts[name] += number
        self.stdout.write(
            f"{counts['accepted']} orders sent, {counts['duplicates']} were there, {counts['rejected']} refused"
        )

    def _send(self, batch: list[Event]) -> dict[str, int]:
        try:
            answer: Any = connection.telling().send_events(batch)
        except ProblemError as error:
            if "results" not in error.members:
                raise CommandError(f"Recsite did not take the orders: {error}") from error
            answer = error.members
        except RecsiteError as error:
            raise CommandError(f"Recsite did not take the orders: {error}; run this again.") from error
        for event, result in zip(batch, answer["results"], strict=True):
            if result["verdict"] == "rejected":
                self.stderr.write(
                    f"Refused: order {event['transaction_id']}, {result.get('pointer', '')}: {result.get('reason', '')}"
                )
        verdicts = [result["verdict"] for result in answer["results"]]
        names = {"accepted": "accepted", "duplicates": "duplicate", "rejected": "rejected"}
        return {name: verdicts.count(verdict) for name, verdict in names.items()}


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    remaining = iter(events)
    while batch := list(islice(remaining, BATCH)):
        yield batch
