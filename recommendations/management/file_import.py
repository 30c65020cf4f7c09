"""Base of the commands that import a file: parse, one call, say what became of the rows."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from psycopg.errors import UndefinedColumn, UndefinedTable

from recommendations.ingest.import_files import UnreadableFileError
from recommendations.management.progress import Bar
from recommendations.models import Import
from recommendations.services.catalogue.feeds import FeedAwayError, StoppedError

SHOWN = 10
MIGRATE_FIRST = gettext_lazy("The database is not set up for this version yet. Run first: manage.py migrate")
REFUSALS = (UnreadableFileError, FeedAwayError, StoppedError)


class FileCommand(BaseCommand):
    """Command that imports something and says what became of its rows."""

    database_refused: ClassVar[str | Promise] = gettext_lazy(
        "The database refused, and nothing was imported: %(reason)s"
    )

    def take(self, load: Callable[[], Import | None], *, strict: bool, some: bool = False) -> None:
        """Run an import and say what became of its rows; with ``some`` one that takes none is refused.

        Raises CommandError.
        """
        try:
            imported = load()
        except REFUSALS as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise self._refusal(error) from error
        if imported is None:
            return
        nothing = some and not imported.kept + imported.duplicates
        self._report(imported, listed=not nothing)
        if nothing:
            text = _(
                "No row of %(file)s could be taken, so nothing was imported. Mend what is named above, and start again."
            )
            raise CommandError(text % {"file": imported.file})
        if strict and imported.rejected:
            raise CommandError(_("%(count)s rows were refused.") % {"count": f"{imported.rejected:,}"})

    def _refusal(self, error: DatabaseError) -> CommandError:
        if isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
            return CommandError(str(MIGRATE_FIRST))
        return CommandError(str(self.database_refused) % {"reason": str(error).strip()})

    def _report(self, imported: Import, *, listed: bool = True) -> None:
        text = ngettext(
            "%(rows)s row: %(kept)s kept, %(duplicates)s already there, %(rejected)s refused.",
            "%(rows)s rows: %(kept)s kept, %(duplicates)s already there, %(rejected)s refused.",
            imported.rows,
        )
        counts = {name: f"{getattr(imported, name):,}" for name in ("rows", "kept", "duplicates", "rejected")}
        self.stdout.write(f"{imported.file}: {text % counts}")
        if imported.message:
            self.stdout.write(imported.message)
        flaws = list(imported.rejected_rows.all()[:SHOWN])
        for flaw in flaws:
            self.stderr.write(f"{imported.file}, line {flaw.line}, {flaw.field or 'row'}: {flaw.reason}")
        left = imported.rejected - len({(flaw.line, flaw.content) for flaw in flaws})
        if left and listed:
            more = _("… and %(count)s more; all are listed in the admin under import %(number)s.")
            self.stderr.write(more % {"count": f"{left:,}", "number": imported.pk})


class FileImport(FileCommand):
    load: ClassVar[Callable[..., Import]]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV in UTF-8 with a first line of column names, or Parquet")
        parser.add_argument("--strict", action="store_true", help="exit with status 1 if any row was refused")

    def handle(self, *, file: Path, strict: bool, **_options: Any) -> None:
        now: datetime = timezone.now()
        self.take(lambda: self.load(file, now=now, report=Bar(self.stdout)), strict=strict)
