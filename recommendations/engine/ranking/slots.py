"""Which candidate stands in which slot where rules apply: pins, caps, minimum shares, and diversity among the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.frames import BoolArray, FloatArray, IntArray
from recommendations.engine.ranking.diversity import CONSIDERED, LOWEST, NEVER, Likeness
from recommendations.engine.ranking.rules import Rule, of_kind, slots_of
from recommendations.engine.ranking.scores import Positions, top
from recommendations.terms import RuleAction


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Candidates in the order of their slots. Slots stay empty only before a pin, when there is nothing else."""

    positions: Positions  # [placed] into the candidates
    slots: NDArray[np.int64]  # [placed], 0 = first
    finals: FloatArray  # [placed]
    fixed: BoolArray  # [placed]: exploration leaves it: pinned, or counted by a minimum share
    touched: Mapping[int, BoolArray] = field(default_factory=dict)  # key of the rule → [placed]: did it bring it here?
    held: Mapping[int, int] = field(default_factory=dict)  # key of a cap → candidates that it kept out of a slot


class Cap:
    """How many of each group are shown, and what may no longer be."""

    def __init__(self, rule: Rule, items: IntArray) -> None:
        groups = np.zeros(len(items), np.int32) if rule.groups is None else rule.groups[items]
        self.rule = rule
        self.group: IntArray = np.where(rule.items[items], groups, -1).astype(np.int32)
        self.blocked = (self.group >= 0) & (rule.most <= 0)
        self.held = np.zeros(len(items), np.bool_)
        self._shown: dict[int, int] = {}

    def take(self, item: int) -> bool:
        """The item (its position among those given) is shown; whether that shuts out others."""
        group = int(self.group[item])
        if group < 0:
            return False
        self._shown[group] = self._shown.get(group, 0) + 1
        full = self._shown[group] == self.rule.most
        if full:
            self.blocked |= self.group == group
        return full


class _Share:
    """How many slots a minimum share is still owed."""

    def __init__(self, rule: Rule, items: IntArray, *, n: int) -> None:
        self.rule, self.meant = rule, rule.items[items]
        self.owed = slots_of(rule, n)


class _Filling:
    """The list while it is filled: candidates by score, the best first, pinned ones behind them."""

    def __init__(self, scores: FloatArray, items: IntArray, *, likeness: Likeness, diversity: float) -> None:
        self.worth = np.float32(1 - diversity) * np.maximum(scores, LOWEST) if diversity else scores
        self.shared = np.zeros(len(items), np.int8)  # most traits shared with an item above
        self.traits = likeness.traits[items].T.copy() if diversity else None
        self.per_trait = np.float32(diversity / max(likeness.traits.shape[1], 1))
        self.free = np.ones(len(items), np.bool_)
        self.caps: list[Cap] = []
        self.shares: list[_Share] = []
        self.touched: dict[int, list[int]] = {}

    @property
    def finals(self) -> FloatArray:
        return self.worth if self.traits is None else self.worth - self.per_trait * self.shared

    def count(self, choice: int) -> None:
        """It has a slot: caps and shares count it."""
        self.free[choice] = False
        for cap in self.caps:
            cap.take(choice)
        for share in self.shares:
            share.owed -= bool(share.meant[choice])

    def stand(self, choice: int) -> None:
        """It stands above all that follow."""
        if self.traits is not None:
            own = np.where(self.traits[:, choice] >= 0, self.traits[:, choice], NEVER)
            np.maximum(self.shared, np.add.reduce(self.traits == own[:, None], axis=0, dtype=np.int8), out=self.shared)

    def choice(self, place: int, *, left: int, window: int) -> int | None:
        """The candidate for a place: among the best ``window``, or further down where nothing there is allowed.

        ``left`` free slots, this one among them, are still to be filled; 0: the place is beyond the last slot.
        """
        finals, allowed = self.finals, self.free.copy()
        for cap in self.caps:
            allowed &= ~cap.blocked
        found = _best(finals, allowed, window)
        if found is None or not left:
            return found
        self._note_held(finals, found, place, window)
        return self._owed(finals, allowed, found, place=place, left=left, window=window)

    def _owed(self, finals: FloatArray, allowed: BoolArray, found: int, *, place: int, left: int, window: int) -> int:
        """Another one where all slots that are left are owed to minimum shares, and an item of theirs may be had."""
        wanted = np.zeros(len(allowed), np.bool_)
        for share in self.shares:
            if share.owed > 0 and left > 0:
                wanted |= share.meant
                left -= share.owed
        if left > 0 or wanted[found]:
            return found
        other = _best(finals, allowed & wanted, window)
        if other is None:
            return found
        for share in self.shares:
            if share.owed > 0 and share.meant[other]:
                self.touched.setdefault(share.rule.key, []).append(place)
        return other

    def _note_held(self, finals: FloatArray, found: int, place: int, window: int) -> None:
        for cap in self.caps:
            held = cap.blocked & self.free & ~cap.held & (finals >= finals[found])
            held[window:] = False
            if held.any():
                cap.held |= held
                self.touched.setdefault(cap.rule.key, []).append(place)


def placed(
    scores: FloatArray,
    items: IntArray,
    *,
    pins: Mapping[int, tuple[int, Rule]],
    rules: Iterable[Rule],
    likeness: Likeness,
    diversity: float,
    n: int,
    further: int = 0,
) -> Placed:
    """Slots 0 … n − 1 and ``further`` places behind them, which obey the caps, too.

    ``scores`` [candidates] are −inf where a candidate may not be shown, ``pins``: slot → position and rule. At its turn
    an item's final is λ · score − (1 − λ) · its largest likeness to those above, λ = 1 − diversity, as in ``spread``.
    """
    at = [position for position, _ in pins.values()]
    others = scores.copy()
    others[at] = -np.inf
    ranked = top(others[None, :], len(items))[0]
    order = np.concatenate([ranked[ranked >= 0], np.array(at, np.int64)])
    filling = _Filling(scores[order], items[order], likeness=likeness, diversity=diversity)
    filling.caps = [Cap(rule, items[order]) for rule in of_kind(rules, RuleAction.CAP)]
    filling.shares = [_Share(rule, items[order], n=n) for rule in of_kind(rules, RuleAction.MINIMUM_SHARE)]
    pinned = dict(zip(pins, range(len(order) - len(pins), len(order)), strict=True))
    for choice in pinned.values():
        filling.count(choice)
    for share in filling.shares:  # what cannot be had is not owed
        share.owed = min(share.owed, int(np.count_nonzero(share.meant & filling.free)))
    for slot, (_, rule) in pins.items():
        filling.touched[rule.key] = [slot]
    chosen, finals = _filled(filling, pinned, n=n, further=further)
    slots = np.array(list(chosen), np.int64)
    inner = np.array(list(chosen.values()), np.int64)
    kept = np.isin(slots, list(pinned))
    for share in filling.shares:
        kept |= share.meant[inner]
    return Placed(
        positions=order[inner],
        slots=slots,
        finals=np.array(finals, np.float32),
        fixed=kept,
        touched={key: np.isin(slots, places) for key, places in filling.touched.items()},
        held={cap.rule.key: int(np.count_nonzero(cap.held)) for cap in filling.caps},
    )


def _filled(
    filling: _Filling, pinned: Mapping[int, int], *, n: int, further: int
) -> tuple[dict[int, int], list[float]]:
    """Place → candidate, and its final at its turn."""
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


def _best(finals: FloatArray, allowed: BoolArray, window: int) -> int | None:
    """The allowed candidate with the largest final, ties to the better score."""
    for within in (slice(None, window), slice(None)):
        if allowed[within].any():
            return int(np.argmax(np.where(allowed[within], finals[within], -np.inf)))
    return None
