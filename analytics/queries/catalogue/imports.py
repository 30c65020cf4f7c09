"""Imports of files: what each kept and refused, who began it, and what a file that was looked through would change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from analytics.templatetags.activity import field_text, field_words
from analytics.templatetags.stored_words import in_own_words
from recommendations.models import AuditEntry, Import, RejectedRow
from recommendations.services.catalogue import feed_schedule
from recommendations.services.catalogue.feed_schedule import FeedState, with_origin
from recommendations.services.catalogue.files import Preview
from recommendations.services.catalogue.refused_rows import REASONS

PER_PAGE = 25
MOST_LINES = 50  # refused rows on the page of an import; all are in the file


@dataclass(frozen=True, kw_only=True)
class RefusedLine:
    """A row that was refused, with all of its flaws."""

    line: int
    content: str
    flaws: Sequence[RejectedRow]


@dataclass(frozen=True, kw_only=True)
class FeedLine:
    """The feed that is looked at by itself: when it was, when it will be, what last came of it."""

    state: FeedState
    hours: int
    full: bool
    looked_at: datetime | None
    due_at: datetime | None
    imported_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ChangedItem:
    """An item that a file changes; ``fields`` are their names with the values before and after, in words."""

    shop_id: str
    title: str
    fields: Sequence[tuple[str, str, str]]


def imports(number: int) -> tuple[Page[Import], list[tuple[Import, str]]]:
    """A page of imports, the newest first, each with who began it; "" for a command."""
    page = Paginator(with_origin(Import.objects.order_by("-started_at", "-pk")), PER_PAGE).get_page(number)
    authors = authors_of(page)
    return page, [(each, authors.get(each.pk, "")) for each in page]


def feed_line() -> FeedLine | None:
    """The feed that is set; None where none is."""
    state = feed_schedule.state()
    if state is None:
        return None
    return FeedLine(
        state=state, hours=settings.ITEM_FEED_HOURS, full=settings.ITEM_FEED_FULL,
        looked_at=parse_datetime(state.looked_at), due_at=parse_datetime(state.due_at),
        imported_at=parse_datetime(state.imported_at),
    )  # fmt: skip


def authors_of(imported: Iterable[Import]) -> dict[int, str]:
    """Who began each import, which has its origin, by its key: staff or the feed; those of commands are left out."""
    keys = [str(each.pk) for each in imported]
    entries = AuditEntry.objects.filter(object_type="import", verb="import", object_id__in=keys).select_related("staff")
    staff = {int(entry.object_id): str(entry.staff) for entry in entries if entry.staff}
    return {each.pk: _("the feed") for each in imported if vars(each)["from_feed"]} | staff


def reasons(imported: Import) -> list[tuple[int, str]]:
    """How many flaws of each kind there were, the most first."""
    counts = sorted(imported.reasons.items(), key=lambda reason: -reason[1])
    return [(count, str(REASONS[code]) if code in REASONS else in_own_words(code)) for code, count in counts]


def refused_lines(flaws: Iterable[RejectedRow]) -> list[RefusedLine]:
    """Refused rows, each once; ``flaws`` are in the order of their lines."""
    lines = [(number, list(rows)) for number, rows in groupby(flaws, key=lambda flaw: flaw.line)]
    return [RefusedLine(line=number, content=rows[0].content, flaws=rows) for number, rows in lines]


def refused_of(imported: Import) -> list[RefusedLine]:
    """The first rows that an import refused."""
    lines = imported.rejected_rows.order_by("line").values_list("line", flat=True).distinct()[:MOST_LINES]
    return refused_lines(imported.rejected_rows.filter(line__in=list(lines)).order_by("line", "pk"))


def changed_items(preview: Preview) -> list[ChangedItem]:
    """The first items that a file would change."""
    return [
        ChangedItem(shop_id=each.shop_id, title=each.title, fields=_differences(each.before, each.after))
        for each in preview.changes
    ]


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (field_words("item", name), field_text("item", name, before.get(name)), field_text("item", name, after[name]))
        for name in after
    ]
