"""Where one item stands on the way to an answer: the stage that lost it, and how far it is from being shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommendations.engine.ranking.rules import Rule
from recommendations.engine.ranking.scores import PROMOTION
from recommendations.engine.ranking.selection import Lost, Selection, eligibility
from recommendations.serving.pipeline import Ready, picked
from recommendations.serving.types import Answer
from recommendations.simulation.counterfactual_rank import WouldRank, would_rank
from recommendations.terms import AnswerStage, RuleAction

OUT = (RuleAction.EXCLUDE, RuleAction.INCLUDE_ONLY)
PLACING = (RuleAction.PIN, RuleAction.CAP, RuleAction.MINIMUM_SHARE)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """``stage`` lost the item; SHOWN: it is in the answer."""

    stage: AnswerStage
    row: int  # of the stock, −1 = gone
    rank: int | None = None  # in the answer where it is shown, else by score among the eligible
    eligible: int = 0
    lost: Lost | None = None  # why it may not be shown, at whatever stage it was lost
    rule: int | None = None  # that takes it out, buries it, or gives its place to another
    would_rank: WouldRank | None = None  # at CANDIDATES
    gap: float | None = None  # the score of the last one shown − that of the item
    speaking: tuple[tuple[str, float], ...] = ()  # instance: its part of the item's score − that of the last one shown


def standing(ready: Ready, answer: Answer, item: int) -> Standing:
    """``answer`` is what ``ready`` gives, ``item`` a primary key."""
    row = int(ready.snapshot.stock.ids.rows(np.array([item]))[0])
    rank = next((shown.rank for shown in answer.shown if shown.item == item), None)
    if rank is not None:
        return Standing(stage=AnswerStage.SHOWN, row=row, rank=rank, eligible=len(answer.shown))
    known = -1 if ready.pools is None else int(ready.pools.model.items.rows(np.array([item]))[0])
    lost, rule = barred(ready, row) if row >= 0 else (None, None)
    if row < 0 or known < 0 or ready.pools is None:
        return Standing(stage=AnswerStage.MODEL, row=row, lost=lost, rule=rule)
    pool = ready.ranking.pool
    if pool is None or known not in pool.items:
        place = would_rank(ready.pools, ready.ranking, known)
        return Standing(stage=AnswerStage.CANDIDATES, row=row, lost=lost, rule=rule, would_rank=place)
    if lost is not None:
        stage = AnswerStage.RULES if lost is Lost.RULED_OUT else AnswerStage.ELIGIBILITY
        return Standing(stage=stage, row=row, lost=lost, rule=rule)
    return _outranked(ready, row)


def shown_at(ready: Ready, row: int) -> int | None:
    """The rank of a row of the stock among what is chosen of the pool; None: it is not."""
    chosen = picked(ready)
    return None if chosen is None else _place(chosen, row)


def with_rules(ready: Ready, rules: Sequence[Rule]) -> Ready:
    return replace(ready, wish=replace(ready.wish, rules=tuple(rules)))


def barred(ready: Ready, row: int) -> tuple[Lost | None, int | None]:
    """Why a row of the stock may not be shown, and the first rule that alone takes it out."""
    lost = _lost(ready, row)
    if lost is not Lost.RULED_OUT:
        return lost, None
    alone = (rule.key for rule in ready.wish.rules if _lost(with_rules(ready, [rule]), row) is lost)
    return lost, next(alone, None)


def _lost(ready: Ready, row: int) -> Lost | None:
    _, lost = eligibility(np.array([row], np.int32), shelf=ready.shelf, wish=ready.wish)
    return next(iter(lost), None)


def _outranked(ready: Ready, row: int) -> Standing:
    """It may be shown, and is not."""
    wish = ready.wish
    by_score = [rule for rule in wish.rules if rule.action not in PLACING]
    everything = len(ready.ranking.pool.items) if ready.ranking.pool else wish.n
    plain = picked(replace(ready, wish=replace(wish, n=everything, diversity=0.0, rules=tuple(by_score))))
    chosen = picked(ready)
    rank = _place(plain, row) if plain else None
    if plain is None or chosen is None or rank is None:
        return Standing(stage=AnswerStage.RANKING, row=row)
    last = _place(plain, int(chosen.items[-1])) if len(chosen.items) else None
    return Standing(
        stage=AnswerStage.DIVERSITY if rank <= wish.n else AnswerStage.RANKING,
        row=row,
        rank=rank,
        eligible=len(plain.items),
        rule=_culprit(ready, row, rank),
        gap=None if last is None else _score(plain, last) - _score(plain, rank),
        speaking=() if last is None else _speaking(ready, plain, rank, last),
    )


def _culprit(ready: Ready, row: int, rank: int) -> int | None:
    """The rule without which it would be shown: one that gives its place away, or one that buries it."""
    rules = ready.wish.rules
    suspects = [
        rule
        for rule in rules
        if (rule.action in PLACING if rank <= ready.wish.n else rule.strength < 0 and rule.items[row])
    ]
    for rule in suspects:
        if shown_at(with_rules(ready, [other for other in rules if other is not rule]), row):
            return rule.key
    return None


def _place(selection: Selection, row: int) -> int | None:
    found = np.flatnonzero(selection.items == row)
    return int(found[0]) + 1 if len(found) else None


def _score(selection: Selection, rank: int) -> float:
    boosts = sum(float(added[rank - 1]) for added in selection.boosts.values())
    return float(selection.score[rank - 1]) + boosts


def _speaking(ready: Ready, selection: Selection, rank: int, last: int) -> tuple[tuple[str, float], ...]:
    """The largest first; those that say the same of both are left out."""
    names = [*(ready.ranking.pool.instances if ready.ranking.pool else ()), PROMOTION]
    parts = np.vstack([selection.contributions, selection.promotion])
    differences = parts[:, rank - 1] - parts[:, last - 1]
    found = [(name, float(value)) for name, value in zip(names, differences, strict=True) if value]
    return tuple(sorted(found, key=lambda part: -abs(part[1])))
