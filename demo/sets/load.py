"""Import of a published set into an empty shop of its domain."""

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from demo.sets.files import PublishedSet, WrongFileError, require, verify
from demo.town import write_rows
from recommendations.domains.protocol import DomainName
from recommendations.ingest.import_files import import_events, import_items
from recommendations.management.progress import Bar
from recommendations.models import Import, Item
from recommendations.services.privacy.retention import keep_all_events


class LoadCommand(BaseCommand):
    """A command that loads a set from a folder."""

    of: PublishedSet
    domain: DomainName

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help=f"with the files of {self.of.source}")
        parser.add_argument(
            "--unverified", action="store_true", help="take files that differ from the published ones, such as a part"
        )

    def handle(self, *, folder: Path, unverified: bool, **_options: Any) -> None:
        if self.domain != settings.SHOP_DOMAIN:
            raise CommandError(
                f"This shop offers {settings.SHOP_DOMAIN}: begin with a new database and SHOP_DOMAIN={self.domain}."
            )
        if Item.objects.exists():
            raise CommandError("This shop has items already: begin with a new database.")
        try:
            require(folder, self.of.files, source=self.of.source)
            if not unverified:
                self._verify(folder)
            taken = self._load(folder, now=timezone.now())
        except WrongFileError as error:
            raise CommandError(str(error)) from error
        for each in taken:
            refused = sum(each.reasons.values())
            self.stdout.write(f"  {each.kind:<10}{each.rows:>10,} rows, {each.kept:,} kept, {refused:,} refused")

    def _verify(self, folder: Path) -> None:
        for file in (*self.of.files, *self.of.beside):
            if (folder / file.name).is_file():
                proved = verify(folder, file)
                words = "is the published file" if proved else "has the published columns and rows; no hash is known"
                self.stdout.write(f"  {file.name} {words}")
            else:
                self.stdout.write(f"  {file.name} is not there: the shop goes without")

    def _load(self, folder: Path, *, now: datetime) -> tuple[Import, Import]:
        bar = Bar(self.stdout)
        with TemporaryDirectory() as made:
            items = write_rows(self.of.items(folder), Path(made) / "items.csv")
            events = write_rows(self.of.events(folder, now=now), Path(made) / "events.csv")
            taken = import_items(items, now=now, report=bar), import_events(events, now=now, report=bar)
        keep_all_events(note=f"{self.of.source}, as published.", now=now)
        return taken
