"""``manage.py import_events FILE``: events of a file into the record, ours or the calls of another system."""

from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from recommendations.ingest.calls.refused_calls import write_refused
from recommendations.ingest.import_files import import_events
from recommendations.ingest.sources.table import EVENTS
from recommendations.management.file_import import FileCommand
from recommendations.management.progress import Bar
from recommendations.models import Import


class Command(FileCommand):
    help = "Import events from a file. Running it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path,
            help="CSV in UTF-8 with a first line of column names, or Parquet; with --from JSON Lines with a call on "
            "each line, a list of calls, or a body that has such a list, as it is or packed as gzip or zip",
        )  # fmt: skip
        parser.add_argument("--strict", action="store_true", help="exit with status 1 if any row was refused")
        parser.add_argument(
            "--from",
            dest="system",
            default="",
            choices=list(EVENTS),
            help="whose calls the file holds, as it sends them",
        )
        parser.add_argument(
            "--item-id", default="", metavar="FIELD",
            help="with --from, the field of its products that is our item_id, such as sku",
        )  # fmt: skip
        parser.add_argument(
            "--refused", type=Path, metavar="NEW", help="with --from, a new file for the lines with refused calls"
        )

    def handle(
        self, *, file: Path, strict: bool, system: str, item_id: str, refused: Path | None, **_options: Any
    ) -> None:
        fields = EVENTS[system].item_ids if system else ()
        if item_id and item_id not in fields:
            text = _("--item-id %(name)s: with --from %(system)s it is one of %(names)s.")
            raise CommandError(text % {"name": item_id, "system": system or "…", "names": ", ".join(fields) or "–"})
        if refused and not system:
            raise CommandError(_("--refused is for files of another tool's calls: say whose with --from."))
        if refused and refused.exists():
            raise CommandError(_("%(file)s is there already; name a file that is not.") % {"file": refused})
        load = partial(import_events, file, now=timezone.now(), system=system, item_id=item_id)

        def load_all() -> Import:
            imported = load(report=Bar(self.stdout))
            if refused and imported.rejected:
                count = write_refused(file, refused, imported=imported, system=system)
                text = _(
                    "Lines with refused calls: %(count)s, in %(file)s. Mend them there, and import it as this one."
                )
                self.stdout.write(text % {"count": f"{count:,}", "file": refused})
            return imported

        self.take(load_all, strict=strict)
