"""``manage.py import_items FILE``: items of a file or a feed, in any of its usual formats, into the catalogue."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from recommendations.management.file_import import FileCommand
from recommendations.management.progress import Bar
from recommendations.services.catalogue import feeds
from recommendations.services.catalogue.feeds import MissingItems, StoppedError, WholeCatalogue


class Command(FileCommand):
    help = "Import items from a file or an address. Running it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            help="CSV, TSV, Parquet, JSON, JSON Lines, Google's product feed (TSV or XML) or Shopify's product file, "
            "as it is or packed as gzip or zip; or an http(s) address of one",
        )
        parser.add_argument("--strict", action="store_true", help="exit with status 1 if any row was refused")
        parser.add_argument(
            "--map", action="append", default=[], metavar="NAME=COLUMN", dest="maps",
            help="the file's NAME is our COLUMN: --map artno=item_id, --map colour=attributes.color; repeatable",
        )  # fmt: skip
        parser.add_argument("--full", action="store_true", help="retire the items that the file lacks")
        parser.add_argument("--yes", action="store_true", help="with --full, do not ask before")

    def handle(self, *, file: str, strict: bool, maps: list[str], full: bool, yes: bool, **_options: Any) -> None:
        now = timezone.now()
        whole = WholeCatalogue(allowed=lambda lack: self._allows(lack, yes=yes)) if full else None
        self.take(
            lambda: feeds.import_feed(file, now=now, report=Bar(self.stdout), maps=_pairs(maps), full=whole),
            strict=strict,
        )

    def _allows(self, lack: MissingItems, *, yes: bool) -> bool:
        """Say what would be retired, and ask; much is retired with ``--yes`` alone. Raises StoppedError."""
        words = feeds.lack_words(lack)
        self.stdout.write(feeds.lack_text(lack))
        if lack.share > feeds.MOST_RETIRED:
            text = _("That is %(share)s%% of them, more than %(most)s%%.") % words
            if not yes:
                raise StoppedError(text + " " + _("Nothing was imported. If it is right, run it again with --yes."))
            self.stdout.write(text)
        if yes or _agreed(_("Retire them? [y/N] ")):
            return True
        raise StoppedError(_("Nothing was imported. Without --full the file is imported and nothing retired."))


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in {"y", "yes", "j", "ja", "是"}
    except EOFError:
        raise StoppedError(_("Nothing was imported: nobody is there to be asked. Run it again with --yes.")) from None


def _pairs(maps: list[str]) -> dict[str, str]:
    pairs = dict(each.rpartition("=")[::2] for each in maps)
    if not all(name and ours for name, ours in pairs.items()):
        raise CommandError(_("Write --map as NAME=COLUMN, such as --map artno=item_id."))
    return pairs
