"""Filling of the slots where rules apply: pins, caps, minimum shares, and diversity among the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.ranking.diversity import CONSIDERED, LOWEST, NEVER, Likeness
from recommendations.engine.ranking.pins import Pin
from recommendations.engine.ranking.rules import Rule, of_kind, slots_of
from recommendations.engine.ranking.scores import Positions, top
from recommendations.terms import RuleAction


@dataclass(frozen=True, kw_only=True)
class SlotRows:
    """Candidates in the order of their slots. Slots stay empty only before a pin, when there is nothing else."""

    positions: Positions  # [placed] into the candidates
    slots: NDArray[np.int64]  # [placed], 0 = first
    finals: FloatArray  # [placed]
    fixed: BoolArray  # [placed]: exploration leaves it: pinned, or counted by a minimum share
    touched: Mapping[int, BoolArray] = field(default_factory=dict)  # key of the rule → [placed]: did it bring it here?
    held: Mapping[int, int] = field(default_factory=dict)  # key of a cap → candidates that it kept out of a slot


class Cap:
    """A cap while slots are filled: how many of each group are shown, and what may no longer be."""

    def __init__(self, rule: Rule, items: IntArray) -> None:
        groups = np.zeros(len(items), np.int32) if rule.groups is None else rule.groups[items]
        self.rule = rule
        self.group: IntArray = np.where(rule.items[items], groups, -1).astype(np.int32)
        self.blocked = self.group >= 0 if rule.most <= 0 else np.zeros(len(items), np.bool_)
        self._shown: dict[int, int] = {}

    def take(self, item: int) -> bool:
        """Count an item (its position among those given) as shown; whether that shuts out others."""
        group = int(self.group[item])
        if group < 0:
            return False
        self._shown[group] = self._shown.get(group, 0) + 1
        full = self._shown[group] == self.rule.most
        if full:
            self.blocked |= self.group == group
        return full

    def room(self, open_: BoolArray) -> int:
        """Number of these candidates that can still be shown together."""
        groups, counts = np.unique(self.group[open_ & (self.group >= 0)], return_counts=True)
        room = [self.rule.most - self._shown.get(group, 0) for group in groups.tolist()]
        free = int(np.count_nonzero(open_ & (self.group < 0)))
        return free + int(np.minimum(counts, np.maximum(room, 0)).sum())


class _Share:
    """A minimum share while slots are filled: the slots that it is still owed."""

    def __init__(self, rule: Rule, items: IntArray, *, n: int) -> None:
        self.rule, self.meant = rule, rule.items[items]
        self.owed = slots_of(rule, n)


class _Filling:
    """The list while it is filled: candidates by score, the best first, pinned ones behind them."""

    def __init__(self, scores: FloatArray, items: IntArray, *, likeness: Likeness, diversity: float) -> None:
        self.finals = np.float32(1 - diversity) * np.maximum(scores, LOWEST) if diversity else scores
        self.free = np.ones(len(items), np.bool_)
        self.allowed = self.free.copy()  # free, and not blocked by a cap
        self.caps: list[Cap] = []
        self.held: dict[int, set[int]] = {}  # key of a cap → candidates that it kept out of a slot
        self.shares: list[_Share] = []
        self.touched: dict[int, list[int]] = {}  # key of a rule → places
        self._worth = self.finals
        self._shared = np.zeros(len(items), np.int8)  # most traits shared with an item above
        self._traits = likeness.traits[items].T.copy() if diversity else None
        self._per_trait = np.float32(diversity / max(likeness.traits.shape[1], 1))

    def cap(self, rules: Iterable[Rule], items: IntArray) -> None:
        for rule in of_kind(rules, RuleAction.CAP):
            self.caps.append(Cap(rule, items))
            self.held[rule.key] = set()
            self.allowed &= ~self.caps[-1].blocked

    def count(self, choice: int) -> None:
        """Count a candidate that has a slot towards caps and shares."""
        self.free[choice] = self.allowed[choice] = False
        for cap in self.caps:
            if cap.take(choice):
                self.allowed &= ~cap.blocked
        for share in self.shares:
            share.owed -= bool(share.meant[choice])

    def stand(self, choice: int) -> None:
        """Put a candidate above all that follow, whose likeness to it then counts."""
        if self._traits is not None:
            own = np.where(self._traits[:, choice] >= 0, self._traits[:, choice], NEVER)
            same = self._traits == own[:, None]
            np.maximum(self._shared, np.add.reduce(same, axis=0, dtype=np.int8), out=self._shared)
            self.finals = self._worth - self._per_trait * self._shared

    def choice(self, place: int, *, left: int, window: int) -> int | None:
        """The candidate for a place: among the best ``window``, or further down where nothing there is allowed.

        ``left`` free slots, this one among them, are still to be filled; 0: the place is beyond the last slot.
        """
        best = self._best(self.allowed, window)
        if best is None or not left:
            return best
        if self.caps:
            self._note_held(best, place, window)
        return self._owed(best, place, left=left, window=window) if self.shares else best

    def _best(self, among: BoolArray, window: int) -> int | None:
        """The candidate with the largest final, ties to the better score."""
        if self._traits is None:  # the order is that of the finals
            first = int(np.argmax(among)) if len(among) else 0
            return first if first < len(among) and among[first] else None
        for within in (slice(None, window), slice(None)):
            if among[within].any():
                return int(np.argmax(np.where(among[within], self.finals[within], -np.inf)))
        return None

    def _owed(self, found: int, place: int, *, left: int, window: int) -> int:
        """Return another one where all slots left are owed to minimum shares, and an item of theirs may be had."""
        wanted = np.zeros(len(self.allowed), np.bool_)
        for share in self.shares:
            if share.owed > 0 and left > 0:
                wanted |= share.meant
                left -= share.owed
        if left > 0 or wanted[found]:
            return found
        other = self._best(self.allowed & wanted, window)
        if other is None:
            return found
        for share in self.shares:
            if share.owed > 0 and share.meant[other]:
                self.touched.setdefault(share.rule.key, []).append(place)
        return other

    def _note_held(self, found: int, place: int, window: int) -> None:
        """Note where a cap acts: it keeps out something better than the candidate found, each one once."""
        better = np.flatnonzero(
            self.free[:window] & ~self.allowed[:window] & (self.finals[:window] >= self.finals[found])
        )
        for cap in self.caps if len(better) else ():
            new = set(better[cap.blocked[better]].tolist()) - self.held[cap.rule.key]
            if new:
                self.held[cap.rule.key] |= new
                self.touched.setdefault(cap.rule.key, []).append(place)


def placed(
    scores: FloatArray,
    items: IntArray,
    *,
    pins: Mapping[int, Pin],
    rules: Iterable[Rule],
    likeness: Likeness,
    diversity: float,
    n: int,
    further: int = 0,
) -> SlotRows:
    """Fill slots 0 … n − 1 and ``further`` places behind them, which obey the caps, too.

    ``scores`` [candidates] are −inf where one may not be shown, ``pins`` by slot. At its turn an item's final is
    λ · score − (1 − λ) · its largest likeness to those above, λ = 1 − diversity, as in ``spread``.
    """
    at = [pin.candidate for pin in pins.values()]
    others = scores.copy()
    others[at] = -np.inf
    ranked = top(others[None, :], len(items))[0]
    order = np.concatenate([ranked[ranked >= 0], np.array(at, np.int64)])
    filling = _Filling(scores[order], items[order], likeness=likeness, diversity=diversity)
    filling.cap(rules, items[order])
    sharing = [rule for rule in of_kind(rules, RuleAction.MINIMUM_SHARE) if slots_of(rule, n)]
    filling.shares = [_Share(rule, items[order], n=n) for rule in sharing]
    pinned = dict(zip(pins, range(len(order) - len(pins), len(order)), strict=True))
    for choice in pinned.values():
        filling.count(choice)
    for share in filling.shares:  # what cannot be had is not owed
        open_ = share.meant & filling.free
        share.owed = min([share.owed, int(np.count_nonzero(open_)), *(cap.room(open_) for cap in filling.caps)])
    for slot, pin in pins.items():
        filling.touched[pin.rule.key] = [slot]
    chosen, finals = _filled(filling, pinned, n=n, further=further)
    inner = np.array(list(chosen.values()), np.int64)
    place = {slot: number for number, slot in enumerate(chosen)}
    fixed = _marks([place[slot] for slot in pinned], len(chosen))
    for share in filling.shares:
        fixed |= share.meant[inner]
    return SlotRows(
        positions=order[inner],
        slots=np.array(list(chosen), np.int64),
        finals=np.array(finals, np.float32),
        fixed=fixed,
        touched={key: _marks([place[slot] for slot in slots], len(chosen)) for key, slots in filling.touched.items()},
        held={key: len(held) for key, held in filling.held.items()},
    )


def _filled(
    filling: _Filling, pinned: Mapping[int, int], *, n: int, further: int
) -> tuple[dict[int, int], list[float]]:
    """Fill the places: place → candidate, and the finals, each at the candidate's turn."""
    window = max(CONSIDERED, n + further)
    chosen: dict[int, int] = {}
    finals: list[float] = []
    left = n - len(pinned)
    for place in range(n + further):
        choice = pinned.get(place)
        if choice is None:
            choice = filling.choice(place, left=left, window=window)
            if choice is None:
                continue
            left = max(left - 1, 0)
            filling.count(choice)
        finals.append(float(filling.finals[choice]))
        chosen[place] = choice
        filling.stand(choice)
    return chosen, finals


def _marks(places: Sequence[int], n: int) -> BoolArray:
    marks = np.zeros(n, np.bool_)
    marks[list(places)] = True
    return marks
