"""Comparison of a book of rules that is not served yet with the one that is: what differs, and when to look at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from recommendations.engine.frames import BoolArray
from recommendations.engine.ranking.rules import Rule
from recommendations.services.rules.books import book_changes
from recommendations.store.rules.conditions import FrozenRule, default_book
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import current_snapshot


@dataclass(frozen=True, kw_only=True, eq=False)
class BookChange:
    """The shop under the served book and under the changed one, looked at at a moment."""

    was: Snapshot
    becomes: Snapshot
    changed: Mapping[int, FrozenRule]  # by key, as they would be; what would be withdrawn as it is
    at: datetime

    @cached_property
    def beside(self) -> BoolArray | None:
        """Mask of the items in view that changed rules ask for, by row of the stock; None where none asks."""
        rules = (*self.was.rules.rules, *self.becomes.rules.rules)
        contexts = [rule.context for rule in rules if rule.context and rule.key in self.changed]
        if not contexts:
            return None
        lookup = self.was.rules.lookup.holding(contexts)
        return np.any([lookup.met(conditions, now=self.at) for conditions in contexts], axis=0)

    def concerns(self, was: Sequence[Rule], becomes: Sequence[Rule]) -> bool:
        """Whether these rules, which apply to one answer, differ."""
        return [rule.key for rule in was] != [rule.key for rule in becomes] or any(
            rule.key in self.changed for rule in becomes
        )


def change_to(rules: Sequence[FrozenRule], now: datetime) -> BookChange:
    """Compare the rules with the served book now, or when the first changed one begins if none is in force before."""
    book = default_book()
    served = book.rules if book else []
    snapshot = current_snapshot()
    changed = {one.rule: one.after or one.before for one in book_changes(served, rules)}
    differing = {key: rule for key, rule in changed.items() if rule is not None}
    begins = [datetime.fromisoformat(rule["starts_at"]) if rule["starts_at"] else now for rule in differing.values()]
    was = snapshot if snapshot.rules.version == (book.number if book else 0) else snapshot.with_rules(served)
    return BookChange(
        was=was.with_audiences_of(rules),  # they are asked about by both
        becomes=snapshot.with_rules(rules),
        changed=differing,
        at=max(now, min(begins, default=now)),
    )
