"""Changes of the book that is served, before they are made; and from book to book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q

from analytics.queries.rules.overview import SERVED, WAITING, Rules, served
from analytics.templatetags.rules import Names
from recommendations.models import RuleBook
from recommendations.services.rules.attributes import FrozenRule, frozen
from recommendations.services.rules.books import BookChange, book_changes, book_with

USUAL_PLACEMENT = "home"
MOST_PLACEMENTS = 3  # that are measured before a change
PER_PAGE = 20


class BookAction(StrEnum):
    """An act on the book."""

    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A book as it would be; ``based_on`` is the number of the one that is served, ``target`` the one to go back to."""

    kind: BookAction
    based_on: int
    rules: Sequence[FrozenRule]
    changes: Sequence[BookChange]
    words: Names
    keys: Sequence[int] = ()
    names: Sequence[str] = ()
    target: RuleBook | None = None
    revisions: Mapping[int, int] = field(default_factory=dict)  # of the drafts, by key

    @property
    def placements(self) -> list[str]:
        """Where the change can show: the placements of the rules that differ."""
        by_key = {rule["id"]: rule for rule in self.rules}
        names = [by_key[change.rule]["placement"] for change in self.changes if change.rule in by_key]
        return list(dict.fromkeys(name or USUAL_PLACEMENT for name in names or [None]))[:MOST_PLACEMENTS]


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
        changes=book_changes(before, after),
        words=found.names,
        names=[line.rule.name for line in lines],
        revisions={line.rule.pk: line.rule.revision for line in lines},
    )


def roll_back(*, number: int) -> Proposal | None:
    """Proposal to go back to a former book; None where there is none, or it is the one that is served."""
    current, target = served(), RuleBook.objects.filter(number=number).first()
    rules = current.rules if current else []
    if target is None or target.rules == rules:
        return None
    return Proposal(
        kind=BookAction.ROLL_BACK,
        based_on=current.number if current else 0,
        rules=target.rules,
        changes=book_changes(rules, target.rules),
        words=Names.of([*rules, *target.rules]),
        target=target,
    )


def versions(*, page: int) -> tuple[Page[RuleBook], Names]:
    """Books of a page, the newest first, and the names of all that they and those that they were made from speak of.

    ``for_test`` of a book: only an experiment served it. What was served for all is served, or the next was made of it.
    """
    followed = Exists(RuleBook.objects.filter(parent=OuterRef("pk")))
    for_test = ExpressionWrapper(Q(number__gt=0, is_default=False) & ~Q(followed), output_field=BooleanField())
    rows: Any = RuleBook.objects.select_related("author", "parent").annotate(for_test=for_test)
    books = Paginator(rows, PER_PAGE).get_page(page)
    both = [each for book in books for each in (book, book.parent) if each]
    return books, Names.of(rule for book in both for rule in book.rules)
