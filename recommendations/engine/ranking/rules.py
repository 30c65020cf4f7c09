"""Rules of merchandising as they apply to one answer (``maths.md`` §5).

They act by kind, whatever their order in the book: exclude → include only → pin → boost → cap and minimum share. Among
rules of a kind the earlier one wins.
"""

from dataclasses import dataclass

from recommendations.engine.frames import BoolArray, IntArray
from recommendations.terms import RuleAction


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """Which items it means and what it does with them; the fields after ``items`` belong to one kind each."""

    key: int  # primary key of the rule in the record
    action: RuleAction
    items: BoolArray  # by item row
    slot: int = 0  # PIN: 1 = first
    strength: int = 0  # BOOST: −100 … 100, in hundredths of ``unit``
    most: int = 0  # CAP: of each group at most so many among the items shown
    groups: IntArray | None = None  # CAP: code of brand or category by item row, −1 = of none; None: all are one group
    share: float = 0.0  # MINIMUM_SHARE: of the slots
