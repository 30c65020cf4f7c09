"""Items of a feed, from a file or an address; one of the whole catalogue retires what it lacks, with a way back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from recommendations.ingest.feeds import fetching
from recommendations.ingest.feeds.fetching import FeedAwayError, Fetched, Validators
from recommendations.ingest.import_files import StoppedError, UnreadableFileError, import_items
from recommendations.models import Import, Item
from recommendations.services.access import audit
from recommendations.store.imports.item_retirement import Became, MissingItems, Retired
from recommendations.store.temp_tables import Report, silent

__all__ = [
    "MOST_RETIRED", "FeedAwayError", "MissingItems", "StoppedError", "UnreadableFileError", "Validators",
    "WholeCatalogue", "downloaded", "import_feed", "is_address", "lack_text", "lack_words", "without_secrets",
]  # fmt: skip

MOST_RETIRED = 0.2
"""Share of the items on sale that a full feed retires without being told to."""

is_address, without_secrets = fetching.is_address, fetching.without_secrets


@dataclass(frozen=True, kw_only=True)
class WholeCatalogue:
    """Retires what a feed lacks, where ``allowed`` says so of it; what it retired can be brought back together."""

    allowed: Callable[[MissingItems], bool]

    def allows(self, lack: MissingItems) -> bool:
        """Ask, unless there is nothing to retire. Raises StoppedError."""
        return bool(lack.keys) and not lack.unread and self.allowed(lack)

    def note(self, imported: Import, lack: MissingItems, became: Became, *, now: datetime) -> str:
        """Leave an entry of the trail for each item, and say how many there are."""
        if became.retired or became.back:
            batch = uuid4()
            gone = [(_item(each), {"retired_at": None}, {"retired_at": now.isoformat()}) for each in became.retired]
            audit.record_all(by=None, verb="retire", changes=gone, batch=batch)
            again = [
                (_item(each), {"retired_at": each.before and each.before.isoformat()}, {"retired_at": None})
                for each in became.back
            ]
            audit.record_all(by=None, verb="bring back", changes=again, batch=batch)
            after = {"retired": len(became.retired), "brought_back": len(became.back)}
            audit.record(by=None, verb="import", subject=imported, after=after, batch=batch)
        return "\n".join(_sentences(lack, became))


def import_feed(
    source: str,
    *,
    now: datetime,
    report: Report = silent,
    maps: Mapping[str, str] | None = None,
    full: WholeCatalogue | None = None,
) -> Import:
    """Import items from a file's path or an http(s) address, at once.

    Raises FeedAwayError where the address gives none, UnreadableFileError and StoppedError.
    """
    if not is_address(source):
        return import_items(Path(source), now=now, report=report, maps=maps, full=full)
    with downloaded(source) as fetched:
        assert fetched is not None  # nothing was said of what is known already  # noqa: S101
        return import_items(fetched.path, now=now, report=report, maps=maps, full=full, name=without_secrets(source))


@contextmanager
def downloaded(address: str, *, known: Validators | None = None) -> Iterator[Fetched | None]:
    """A feed from its address, on disk as long as it is needed; None where the server says that it is the known one.

    Only the host that ``ITEM_FEED`` names may be inside the shop's own network. Raises FeedAwayError.
    """
    with TemporaryDirectory(prefix="recsite-feed-", dir=fetching.roomy()) as folder:
        yield fetching.fetch(address, folder=Path(folder), known=known, trusted=fetching.host_of(settings.ITEM_FEED))


def lack_words(lack: MissingItems) -> dict[str, str]:
    """How much a full feed lacks, for sentences."""
    return {
        "count": f"{lack.count:,}", "of": f"{lack.of:,}", "share": f"{100 * lack.share:.0f}",
        "most": f"{100 * MOST_RETIRED:.0f}",
    }  # fmt: skip


def lack_text(lack: MissingItems) -> str:
    """How many items a full feed retires, and which are the first of them."""
    text = _("Retires %(count)s of %(of)s items, which the file lacks: %(names)s")
    names = pgettext("between names", ", ").join(f"{shop_id} ({title[:60]})" for shop_id, title in lack.first)
    more = " …" if lack.count > len(lack.first) else ""
    return text % {**lack_words(lack), "names": names} + more


def _sentences(lack: MissingItems, became: Became) -> Iterator[str]:
    """What became of the items that a full feed lacks, in sentences."""
    if became.retired:
        text = _("Items that were retired, as the file lacks them: %(count)s.")
        yield text % {"count": f"{len(became.retired):,}"}
    elif lack.keys and lack.unread:
        text = _(
            "Nothing was retired: %(rows)s refused rows have no item id, and may be those of the %(count)s items that "
            "seem to be lacking. Mend them, and import the file again."
        )
        yield text % {"rows": f"{lack.unread:,}", "count": f"{lack.count:,}"}
    if became.back:
        text = _("Retired items that are in the file again, and on sale: %(count)s.")
        yield text % {"count": f"{len(became.back):,}"}


def _item(each: Retired) -> Item:
    return Item(pk=each.key, title=each.title)
