"""A question of one customer, ready but for the rules: so that it can be answered under one book after another.

What answers is the ``select`` that serves; reasons, which take most of the time of an answer, are left out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from recommendations.engine.frames import FloatArray, IntArray
from recommendations.engine.ranking.rules import Rule, left_in, of_kind
from recommendations.engine.ranking.scores import Standardised
from recommendations.engine.ranking.selection import NOTHING, Selection, Shelf, Wish, eligibility, select
from recommendations.engine.ranking.slots import Cap
from recommendations.loop.fallback import Rung, filled
from recommendations.terms import RuleAction

CHUNK = 8
"""What fills up is looked for among so many times as many items as are missing, then among more."""

RUNGS_KEPT = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """Rows are those of the stock; the wish has no rules, and explores nothing."""

    customer: int  # primary key
    segment: int  # −1 = none
    context: IntArray
    rows: IntArray  # [candidates], ascending
    z: Standardised  # [instances, candidates]
    weights: FloatArray  # [instances]
    wish: Wish


@dataclass(frozen=True, kw_only=True, eq=False)
class Answerer:
    """Answers questions of one placement. ``rungs`` tells what fills up a question's list, the best first."""

    shelf: Shelf
    rungs: Callable[[Question], Iterator[Rung]]
    _left_of: dict[tuple[tuple[Rule, ...], int], tuple[Rung, Rung]] = field(default_factory=dict, repr=False)

    def answer(self, question: Question, rules: tuple[Rule, ...]) -> IntArray:
        """Rows of what is shown, in order, as ``recommend`` shows them."""
        wish = replace(question.wish, rules=rules)
        chosen = self._chosen(question, wish)
        items, slots = (chosen.items, chosen.slots) if chosen else (NOTHING, np.arange(0))
        if len(items) >= wish.n:
            return items
        rest = self._rest(question, wish, but=items)
        free = np.setdiff1d(np.arange(wish.n), slots)[: len(rest)]
        return np.concatenate([items, rest])[np.argsort(np.concatenate([slots, free]), kind="stable")]

    def _chosen(self, question: Question, wish: Wish) -> Selection | None:
        if not len(question.rows) and not of_kind(wish.rules, RuleAction.PIN):
            return None
        return select(question.rows, question.z, question.weights, shelf=self.shelf, wish=wish)

    def _rest(self, question: Question, wish: Wish, *, but: IntArray) -> IntArray:
        """What stands in for the candidates; rules that exclude, include only and cap are kept."""
        every = np.arange(len(self.shelf.sellable), dtype=np.int32)
        caps = [Cap(rule, every) for rule in of_kind(wish.rules, RuleAction.CAP)]
        for cap in caps:
            for row in but.tolist():
                cap.take(row)
        shown = but
        for rung in self.rungs(question):
            left = self._left(rung, wish.rules)
            first, size = 0, CHUNK * wish.n
            while first < len(left.rows) and len(shown) < wish.n:
                part = left.rows[first : first + size]
                open_ = np.zeros(len(every), np.bool_)
                open_[part] = eligibility(part, shelf=self.shelf, wish=wish)[0]
                open_[shown] = False
                taken = filled([Rung(left.source, part)], open_=open_, n=wish.n - len(shown), caps=caps)
                shown = np.append(shown, np.array([row for row, _ in taken], np.int32))
                first, size = first + size, size * CHUNK
            if len(shown) >= wish.n:
                break
        return shown[len(but) :]

    def _left(self, rung: Rung, rules: tuple[Rule, ...]) -> Rung:
        """What the rules leave of a rung that many questions share; the rung is kept with it, so that its id lasts."""
        key = rules, id(rung.rows)
        if key not in self._left_of:
            if len(self._left_of) >= RUNGS_KEPT:
                self._left_of.clear()
            left, _ = left_in(rung.rows, self.shelf.sellable[rung.rows], rules)
            self._left_of[key] = rung, Rung(rung.source, rung.rows[left])
        return self._left_of[key][1]
