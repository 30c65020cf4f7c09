"""``manage.py recsite_items``: the whole catalogue to Recsite."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from oscar_recsite import connection, items
from oscar_recsite.conf import is_on
from recsite_client import RecsiteError

PATIENCE = 60.0  # seconds for which a batch is sent again


class Command(BaseCommand):
    help = "Send all products to Recsite, and retire those that the shop does not show. Repeating it changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--most", type=int, default=20, help="refusals that are printed")
        parser.add_argument("--file", type=Path, help="write them as JSON Lines, for import_items, and send nothing")

    def handle(self, *, most: int, file: Path | None, **_options: Any) -> None:
        if file is not None:
            with file.open("w", encoding="utf-8") as lines:
                self.stdout.write(f"{items.write(items.everything(), lines)} items written to {file}")
        else:
            self._send(most)

    def _send(self, most: int) -> None:
        if not is_on():
            raise CommandError("RECSITE_URL and RECSITE_KEY are not set: `manage.py check` says more.")
        start = time.monotonic()
        try:
            tally = items.send(items.everything(), client=connection.cataloguing(patience=PATIENCE))
        except RecsiteError as error:
            raise CommandError(f"Recsite did not take the items: {error}") from error
        lines = list(tally.refusals())
        for line in lines[:most]:
            self.stderr.write(f"Refused: {line}")
        self.stdout.write(
            f"{tally.created} items created, {tally.updated} updated, {tally.unchanged} unchanged, "
            f"{tally.retired} retired, {len(lines)} refused, in {time.monotonic() - start:.1f} seconds"
        )
        if lines:
            raise CommandError(f"{len(lines)} products are not at Recsite; mend them and run this again.")
