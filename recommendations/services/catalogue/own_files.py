"""Files with which a shop is opened, its catalogue and its events: imported when they are new or have changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from recommendations.ingest.calls.open_calls import system_in as _system_of
from recommendations.ingest.import_files import import_events, import_items
from recommendations.models import Import, ShopSetting
from recommendations.services.catalogue import feeds
from recommendations.services.catalogue.feeds import Validators
from recommendations.store.temp_tables import Report

KEY = "own_files"
"""Setting that says of each kind where its file came from, and by what a change of it is noticed."""


class OwnFile(StrEnum):
    ITEMS = "items"
    EVENTS = "events"


def source_of(kind: OwnFile) -> str:
    """Where a file came from the last time; "" where there was none, or a part of its address is secret."""
    state = _state().get(kind, {})
    return "" if state.get("secret") else str(state.get("source", ""))


def is_new(kind: OwnFile, source: str) -> bool:
    """Whether a file is to be imported: it is another one, or has changed. Of an address only its server can tell."""
    return feeds.is_address(source) or _mark(source) != _state().get(kind, {}).get("mark")


def system_in(source: str) -> str:
    """Whose calls a file of events holds: as was said of it the last time, or as it looks; "" for a file of ours."""
    state = _state().get(OwnFile.EVENTS, {})
    said = str(state.get("system", "")) if state.get("source") == source else ""
    return said or _system_of(Path(source))


def take_file(kind: OwnFile, source: str, *, now: datetime, report: Report, system: str = "") -> Import | None:
    """Import a file and note which one it was; None where its server says that it has not changed.

    ``system``: whose calls a file of events holds, where they are not ours.
    Raises FeedAwayError, UnreadableFileError and StoppedError.
    """
    with _opened(kind, source) as (path, mark):
        if path is None:
            return None
        if kind is OwnFile.EVENTS:
            imported = import_events(path, now=now, report=report, system=system)
        else:
            name = _to_store(source) if feeds.is_address(source) else ""
            imported = import_items(path, now=now, report=report, name=name)
        about = {"source": _to_store(source), "secret": _to_store(source) != source, "mark": mark, "system": system}
        state = _state() | {kind: about}
        ShopSetting.objects.update_or_create(key=KEY, defaults={"value": state})
    return imported


@contextmanager
def _opened(kind: OwnFile, source: str) -> Iterator[tuple[Path | None, Any]]:
    """A file on disk and its mark; no path where it is known."""
    if not feeds.is_address(source):
        yield Path(source), _mark(source)
        return
    before = _state().get(kind, {})
    known = Validators(*before["mark"]) if before.get("source") == _to_store(source) else None
    with feeds.downloaded(source, known=known) as fetched:
        yield (fetched.path, list(fetched.validators)) if fetched else (None, None)


def _to_store(source: str) -> str:
    return feeds.without_secrets(source) if feeds.is_address(source) else source


def _mark(source: str) -> list[Any]:
    path = Path(source)
    facts = path.stat()
    return [str(path.resolve()), facts.st_size, facts.st_mtime_ns]


def _state() -> dict[str, Any]:
    value = ShopSetting.objects.filter(key=KEY).values_list("value", flat=True).first()
    return dict(value) if isinstance(value, dict) else {}
