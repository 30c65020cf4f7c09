"""The book of rules as a process serves it.

What items a rule matches is looked up when the book or the catalogue changes; schedules, and conditions that time alone
changes, are looked at for every answer, so that a rule begins and ends by itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Self

import numpy as np
import structlog
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.engine.ranking.rules import Rule
from recommendations.store.rules.conditions import FrozenRule, default_book, parsed
from recommendations.store.serving.rule_matching import Conditions, Lookup, lasting
from recommendations.store.serving.stock import Stock
from recommendations.terms import CapPer, RuleAction

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class ServedRule:
    """A rule of the book, parsed; None where it does not ask."""

    key: int
    name: str
    placement: str | None
    segment: int | None
    audience: int | None
    customer: int | None
    context: Conditions
    starts: float  # seconds since 1970-01-01 UTC
    ends: float
    items: Conditions
    action: RuleAction
    slot: int
    strength: int
    most: int
    per: CapPer
    share: float

    @classmethod
    def of(cls, frozen: Mapping[str, Any]) -> Self:
        """Parse a frozen rule. Raises KeyError, TypeError or ValueError (ConditionError) where it cannot be read."""
        action = RuleAction(frozen["action"])
        if action is RuleAction.PIN and not frozen["slot"]:
            raise ValueError("a pin without a slot")
        return cls(
            key=int(frozen["id"]),
            name=str(frozen["name"]),
            placement=frozen["placement"],
            segment=frozen["segment"],
            audience=frozen.get("audience"),
            customer=frozen["customer"],
            context=parsed(frozen["context"]),
            starts=_moment(frozen["starts_at"], missing=-np.inf),
            ends=_moment(frozen["ends_at"], missing=np.inf),
            items=parsed(frozen["items"]),
            action=action,
            slot=int(frozen["slot"] or 0),
            strength=int(frozen["strength"] or 0),
            most=int(frozen["most"] or 0),
            per=CapPer(frozen["per"] or CapPer.ALL),
            share=float(frozen["share"] or 0),
        )

    @cached_property
    def lasts(self) -> bool:
        """Whether its items are the same at all times."""
        return lasting(self.items) == self.items

    def asks_for(
        self, *, placement: str, segment: int | None, audiences: Collection[int], customer: int | None, at: float
    ) -> bool:
        """Whether it is the rule's time, placement, segment, audience and customer."""
        return (
            self.starts <= at < self.ends
            and (self.placement is None or self.placement == placement)
            and (self.segment is None or self.segment == segment)
            and (self.audience is None or self.audience in audiences)
            and (self.customer is None or self.customer == customer)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ServedRules:
    """A book and the items that it matches, by row of the stock; version 0 before the first book, and for a draft."""

    version: int
    rules: tuple[ServedRule, ...]
    lookup: Lookup
    book: Sequence[FrozenRule] = ()  # frozen, as it was published; one that cannot be read is in it, too
    _met: dict[Conditions, tuple[datetime | None, BoolArray]] = field(default_factory=dict, repr=False)
    _made: dict[ServedRule, Rule] = field(default_factory=dict, repr=False)

    @classmethod
    def nothing(cls, stock: Stock, *, read_at: datetime) -> Self:
        return cls(version=0, rules=(), lookup=Lookup(stock=stock, read_at=read_at))

    @cached_property
    def names(self) -> Mapping[int, str]:
        """Names of the rules by key."""
        return {rule.key: rule.name for rule in self.rules}

    def of_default_book(self, stock: Stock, *, read_at: datetime) -> Self:
        """The default book as the record has it now; the same object where nothing changed."""
        book = default_book()
        version = book.number if book else 0
        lasts = stock is self.lookup.stock and self.lookup.planned is None
        moved = self if lasts else self._moved(stock, read_at=read_at)
        if version == self.version:
            return moved
        return moved.with_book(book.rules if book else (), version=version)

    def with_book(self, frozen: Sequence[FrozenRule], *, version: int = 0) -> Self:
        """Put rules in place of the old ones; one that cannot be read is left out, and the log says so."""
        rules = tuple(rule for one in frozen if (rule := _parse(one)) is not None)
        lookup = _holding(self.lookup, rules)
        return replace(self, version=version, rules=rules, lookup=lookup, book=frozen, _met={}, _made={})

    def applying(
        self,
        *,
        placement: str,
        segment: int | None,
        audiences: Collection[int],
        customer: int | None,
        context: IntArray,
        now: datetime,
    ) -> tuple[Rule, ...]:
        """The rules for an answer, in the order of the book; ``context`` are rows of the items in view."""
        at = now.timestamp()
        return tuple(
            self._rule(rule, now)
            for rule in self.rules
            if rule.asks_for(placement=placement, segment=segment, audiences=audiences, customer=customer, at=at)
            and (not rule.context or self._items(rule.context, now)[context].any())
        )

    def _moved(self, stock: Stock, *, read_at: datetime) -> Self:
        lookup = self.lookup.moved_to(stock, read_at=read_at)
        return replace(self, lookup=_holding(lookup, self.rules), _met={}, _made={})

    def _items(self, conditions: Conditions, now: datetime) -> BoolArray:
        """Mask of the items; the same array until the second passes in which it may change."""
        at = None if lasting(conditions) == conditions else now.replace(microsecond=0)
        entry = self._met.get(conditions)
        if entry is None or entry[0] != at:
            entry = self._met[conditions] = at, self.lookup.met(conditions, now=at or now)
        return entry[1]

    def _rule(self, served: ServedRule, now: datetime) -> Rule:
        rule = self._made.get(served)
        if rule is not None and served.lasts:
            return rule
        items = self._items(served.items, now)
        if rule is None or rule.items is not items:
            rule = self._made[served] = Rule(
                key=served.key,
                action=served.action,
                items=items,
                slot=served.slot,
                strength=served.strength,
                most=served.most,
                groups=groups_of(self.lookup.stock, served.per) if served.action is RuleAction.CAP else None,
                share=served.share,
            )
        return rule


def _parse(frozen: Mapping[str, Any]) -> ServedRule | None:
    try:
        return ServedRule.of(frozen)
    except (KeyError, TypeError, ValueError) as error:
        log.warning("rule left out", rule=frozen.get("id"), error=str(error))
        return None


def _holding(lookup: Lookup, rules: Sequence[ServedRule]) -> Lookup:
    return lookup.holding([conditions for rule in rules for conditions in (rule.items, rule.context)])


def _moment(value: str | None, *, missing: float) -> float:
    return datetime.fromisoformat(value).timestamp() if value else missing


def groups_of(stock: Stock, per: CapPer) -> IntArray | None:
    """Code of the brand, or of the main category (the first, as where likeness is measured), by row; −1 = none."""
    match per:
        case CapPer.BRAND:
            brand: NDArray[np.int32] = stock.column("brand")
            return np.where(brand == stock.brands.get("", -1), -1, brand).astype(np.int32)
        case CapPer.CATEGORY:
            main = np.array([kind[0] if kind else -1 for kind in stock.kinds], np.int32)  # type: ignore[index]
            return np.asarray(main[stock.column("kind")])
        case CapPer.ALL:
            return None
