"""The feed of items that ``ITEM_FEED`` names, looked at every so many hours, and imported where it changed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import structlog
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Exists, Func, JSONField, OuterRef, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from recommendations.ingest.import_files import import_items
from recommendations.models import Import, ShopSetting, Staff
from recommendations.services.access import audit
from recommendations.services.catalogue import feeds
from recommendations.services.catalogue.feeds import (
    FeedAwayError,
    MissingItems,
    StoppedError,
    UnreadableFileError,
    Validators,
    WholeCatalogue,
)
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.temp_tables import silent

KEY = "item_feed"
TASK = "recommendations.tasks.look_at_feed"
LOCK = 0x17EED
AGAIN = timedelta(hours=1)  # after a failure, where the feed is asked for less often
SETTLED = timedelta(minutes=1)  # for which a file must not have changed, so that it is whole
MOST_REMEMBERED = 200  # imports
UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class FeedState:
    """What is known of the feed; times as ISO text. ``taken`` is the last file of a folder: when it came, its name."""

    address: str = ""
    etag: str = ""
    modified: str = ""
    taken: tuple[int, str] = (0, "")
    looked_at: str = ""
    due_at: str = ""
    imported_at: str = ""
    imports: Sequence[int] = field(default=())  # keys, the last one last
    failure: str = ""
    stopped: bool = False  # a full feed would have retired too much

    @property
    def last(self) -> int | None:
        """The key of its last import."""
        return self.imports[-1] if self.imports else None

    @property
    def validators(self) -> Validators | None:
        return Validators(self.etag, self.modified) if self.etag or self.modified else None


class _NewFile(NamedTuple):
    """A file of the folder; ``came`` are the nanoseconds at which it was written or moved there."""

    came: int
    path: Path


def state() -> FeedState | None:
    """What is known of the feed that is set; None where none is."""
    if not settings.ITEM_FEED:
        return None
    stored = _stored()
    address = feeds.without_secrets(settings.ITEM_FEED) if feeds.is_address(settings.ITEM_FEED) else settings.ITEM_FEED
    if stored.address != address:  # another one was set
        return FeedState(address=address, imports=stored.imports)
    came, name = stored.taken
    return replace(stored, taken=(came, name))


def with_origin(imports: QuerySet[Import]) -> QuerySet[Import]:
    """Imports with ``from_feed``: whether each came from the feed that is set, or that was once."""
    key = Func(OuterRef("pk"), function="to_jsonb", output_field=JSONField())
    return imports.annotate(from_feed=Exists(ShopSetting.objects.filter(key=KEY, value__imports__contains=key)))


def _stored() -> FeedState:
    value = ShopSetting.objects.filter(key=KEY).values_list("value", flat=True).first() or {}
    names = {each.name for each in fields(FeedState)}
    return FeedState(**{name: each for name, each in value.items() if name in names})


@transaction.atomic
def look_soon(*, by: Staff) -> bool:
    """Have a worker look at the feed at once, whenever it is due; False where none is set."""
    ShopSetting.objects.select_for_update().filter(key=KEY).first()  # a look that ends now is not overwritten
    held = state()
    if held is None:
        return False
    due = {"value": asdict(replace(held, due_at=""))}
    stored, _new = ShopSetting.objects.update_or_create(key=KEY, defaults=due)
    entry = audit.record(by=by, verb="look at", subject=stored)
    entry.label = held.address[:300]
    entry.save(update_fields=["label"])
    transaction.on_commit(_ask_a_worker)
    return True


def _ask_a_worker() -> None:
    """Send the task; where Valkey is away, the next that beat sends looks."""
    with suppress(OperationalError):
        current_app.send_task(TASK, expires=60)


def look(*, now: datetime) -> list[Import]:
    """Look at the feed where that is due, and import what is new in it."""
    held = state()
    if held is None or (held.due_at and now < datetime.fromisoformat(held.due_at)):
        return []
    with advisory_lock(LOCK) as alone, translation.override("en"):  # pages put what is stored into the reader's words
        return _Look(held, now=now).take() if alone else []


class _Look:
    """One look at the feed: what it found is stored, whatever happens."""

    def __init__(self, held: FeedState, *, now: datetime) -> None:
        self._seen, self._now = held, now
        self._imports: list[Import] = []

    def take(self) -> list[Import]:
        every = timedelta(hours=settings.ITEM_FEED_HOURS)
        wait, failure, stopped = every, "", False
        try:
            if feeds.is_address(settings.ITEM_FEED):
                self._take_address()
            elif self._take_folder(Path(settings.ITEM_FEED)):
                wait = min(every, 2 * SETTLED)
        except (FeedAwayError, UnreadableFileError, StoppedError, DatabaseError, OSError) as error:
            logger.warning("feed not imported", address=self._seen.address, error=type(error).__name__)
            wait, stopped = min(every, AGAIN), isinstance(error, StoppedError)
            failure = str(error).strip().split("\n")[0]
        seen = replace(
            self._seen, looked_at=self._now.isoformat(), due_at=(self._now + wait).isoformat(), failure=failure,
            stopped=stopped,
        )  # fmt: skip
        ShopSetting.objects.update_or_create(key=KEY, defaults={"value": asdict(seen)})
        return self._imports

    def _take_address(self) -> None:
        with feeds.downloaded(settings.ITEM_FEED, known=self._seen.validators) as fetched:
            if fetched is not None:
                self._import(fetched.path, name=self._seen.address)
                etag, modified = fetched.validators
                self._seen = replace(self._seen, etag=etag, modified=modified)

    def _take_folder(self, place: Path) -> bool:
        """Import files that are new, the oldest first, of full ones the newest alone; whether one is not whole yet."""
        new = _new_files(place, after=self._seen.taken)
        whole = [each for each in new if each.came <= (self._now - SETTLED).timestamp() * 1e9]
        for each in whole[-1:] if settings.ITEM_FEED_FULL else whole:
            self._import(each.path, name=each.path.name)
            self._seen = replace(self._seen, taken=(each.came, each.path.name))
        return len(whole) < len(new)

    def _import(self, path: Path, *, name: str) -> None:
        full = WholeCatalogue(allowed=_allowed) if settings.ITEM_FEED_FULL else None
        imported = import_items(path, now=self._now, report=silent, maps=settings.ITEM_FEED_MAP, full=full, name=name)
        self._imports.append(imported)
        keys = [*self._seen.imports, imported.pk][-MOST_REMEMBERED:]
        self._seen = replace(self._seen, imports=keys, imported_at=self._now.isoformat())


def _allowed(lack: MissingItems) -> bool:
    """Let a feed retire what it lacks, but not a large part of the catalogue. Raises StoppedError."""
    if lack.share <= feeds.MOST_RETIRED:
        return True
    text = _(
        "The feed lacks %(count)s of %(of)s items, %(share)s%%: more than %(most)s%%, so nothing was imported. Look at "
        "the feed; if it is right, run: manage.py import_items ADDRESS --full --yes"
    )
    raise StoppedError(text % feeds.lack_words(lack))


def _new_files(place: Path, *, after: tuple[int, str]) -> list[_NewFile]:
    """Files of a folder, or the one that is named, that came after the last one; the oldest first."""
    if not place.exists():
        text = _("%(file)s cannot be read: %(reason)s.")
        raise UnreadableFileError(text % {"file": place, "reason": _("there is no such file or folder")})
    paths = [path for path in place.iterdir() if path.is_file()] if place.is_dir() else [place]
    shown = (path for path in paths if not path.name.startswith(".") and path.suffix.lower() not in UNFINISHED)
    files = sorted(_NewFile(path.stat().st_ctime_ns, path) for path in shown)
    return [each for each in files if (each.came, each.path.name) > after]
