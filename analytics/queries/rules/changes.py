"""Changes of the book that is served, before they are made; and from book to book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.core.paginator import Page, Paginator

from analytics.queries.rules.overview import MAIN_METRIC, SERVED, WAITING, Rules, served, share_touched
from analytics.queries.rules.words import FieldChange, Names, field_changes
from recommendations.models import RuleBook
from recommendations.services.rules.attributes import FrozenRule, frozen
from recommendations.services.rules.books import book_changes, book_with
from recommendations.wording.labels import placement_label

USUAL_PLACEMENT = "home"
MOST_PLACEMENTS = 3  # that are measured before a change
PER_PAGE = 20


class BookAction(StrEnum):
    """An act on the book."""

    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, kw_only=True)
class RuleChange:
    """One rule that differs between two books: added, removed, changed or moved."""

    kind: str
    key: int
    name: str
    sentence: str
    fields: Sequence[FieldChange]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A book as it would be; ``based_on`` is the number of the one that is served, ``target`` the one to go back to."""

    kind: BookAction
    based_on: int
    rules: Sequence[FrozenRule]
    changes: Sequence[RuleChange]
    keys: Sequence[int] = ()
    names: Sequence[str] = ()
    target: RuleBook | None = None
    revisions: Mapping[int, int] = field(default_factory=dict)  # of the drafts, by key

    @property
    def becomes(self) -> int:
        """Number of rules that will be served."""
        return len(self.rules)

    @property
    def placements(self) -> list[str]:
        """Where the change can show: the placements of the rules that differ."""
        by_key = {rule["id"]: rule for rule in self.rules}
        names = [by_key[change.key]["placement"] for change in self.changes if change.key in by_key]
        return list(dict.fromkeys(name or USUAL_PLACEMENT for name in names or [None]))[:MOST_PLACEMENTS]


@dataclass(frozen=True, kw_only=True)
class BookVersion:
    """A book of the past or the present, with what it changed."""

    book: RuleBook
    changes: Sequence[RuleChange]
    tags: Sequence[dict[str, Any]] = field(default_factory=list)


def proposal(found: Rules, *, kind: str, keys: Sequence[int]) -> Proposal | None:
    """Proposal to publish or withdraw these rules; None where nothing would change."""
    publish = kind == BookAction.PUBLISH
    lines = [line for line in found.of(keys) if line.status in (WAITING if publish else SERVED)]
    if not lines and not (publish and found.order_waits):
        return None
    drafts = [frozen(line.rule) for line in lines] if publish else []
    after = book_with(drafts, without=[] if publish else [line.rule.pk for line in lines])
    before = found.book.rules if found.book else []
    return Proposal(
        kind=BookAction(kind),
        keys=[line.rule.pk for line in lines],
        based_on=found.book.number if found.book else 0,
        rules=after,
        changes=_changes(before, after, found.names),
        names=[line.rule.name for line in lines],
        revisions={line.rule.pk: line.rule.revision for line in lines},
    )


def roll_back(*, number: int) -> Proposal | None:
    """Proposal to go back to a former book; None where there is none, or it is the one that is served."""
    current, target = served(), RuleBook.objects.filter(number=number).first()
    if target is None or current is None or target.rules == current.rules:
        return None
    return Proposal(
        kind=BookAction.ROLL_BACK,
        based_on=current.number,
        rules=target.rules,
        changes=_changes(current.rules, target.rules, Names.of([*current.rules, *target.rules])),
        target=target,
    )


def versions(*, page: int) -> tuple[Page[RuleBook], list[BookVersion]]:
    """Books of a page, the newest first, each beside the one that it was made from."""
    book_page = Paginator(RuleBook.objects.select_related("author", "parent"), PER_PAGE).get_page(page)
    books = list(book_page)
    names = Names.of(rule for book in books for each in (book, book.parent) if each for rule in each.rules)
    return book_page, [
        BookVersion(
            book=book,
            changes=_changes(book.parent.rules if book.parent else [], book.rules, names),
            tags=[_tag(tag) for tag in book.expected.get("tags", [])],
        )
        for book in books
    ]


def _tag(tag: Mapping[str, Any]) -> dict[str, Any]:
    effect = tag["effects"].get(MAIN_METRIC)
    return {
        "where": placement_label(tag["placement"]),
        "touched": share_touched(tag),
        "cost": effect["value"] if effect else None,
    }


def _changes(before: Sequence[FrozenRule], after: Sequence[FrozenRule], names: Names) -> list[RuleChange]:
    changes = []
    for change in book_changes(before, after):
        rule = change.after or change.before
        kind = "added" if change.before is None else "removed" if change.after is None else "changed"
        differ = field_changes(change.before, change.after, names) if change.before and change.after else []
        changes.append(
            RuleChange(
                kind="moved" if kind == "changed" and not differ else kind,
                key=change.rule,
                name=change.name,
                sentence=names.sentence(rule) if rule else "",
                fields=differ,
            )
        )
    return changes
