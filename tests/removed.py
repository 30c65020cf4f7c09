"""Which stage lost an item, found out the slow way: take it out of the candidates and see what the trace says then."""

from dataclasses import replace

import numpy as np

from recommendations.engine.ranking.selection import Lost
from recommendations.serving.pipeline import Ready, answered, picked
from recommendations.terms import AnswerStage, RuleAction

PLACING = {RuleAction.PIN, RuleAction.CAP, RuleAction.MINIMUM_SHARE}


def stage_by_removal(asked: Ready, item: int) -> tuple[AnswerStage, Lost | None]:
    """``item`` is a primary key."""
    if any(shown.item == item for shown in answered(asked).shown):
        return AnswerStage.SHOWN, None
    model = asked.snapshot.model
    row = -1 if model is None else int(model.items.rows(np.array([item]))[0])
    if row < 0:
        return AnswerStage.MODEL, None
    before, after = picked(asked), picked(_without(asked, row))
    if before is None or after is None or before.trace.candidates == after.trace.candidates:
        return AnswerStage.CANDIDATES, None
    lost = {reason: count - after.trace.lost.get(reason, 0) for reason, count in before.trace.lost.items()}
    fell = [reason for reason, count in lost.items() if count]
    if fell:
        assert lost[fell[0]] == 1
        return AnswerStage.RULES if fell[0] is Lost.RULED_OUT else AnswerStage.ELIGIBILITY, fell[0]
    assert before.trace.eligible - after.trace.eligible == 1
    rules = tuple(rule for rule in asked.wish.rules if rule.action not in PLACING)
    by_score = picked(replace(asked, wish=replace(asked.wish, diversity=0.0, rules=rules)))
    assert by_score is not None
    in_time = asked.snapshot.stock_rows[row] in by_score.items
    return AnswerStage.DIVERSITY if in_time else AnswerStage.RANKING, None


def _without(asked: Ready, row: int) -> Ready:
    pool = asked.ranking.pool
    if pool is None:
        return asked
    keep = pool.items != row
    return replace(
        asked, ranking=replace(asked.ranking, pool=replace(pool, items=pool.items[keep], z=pool.z[:, keep]))
    )  # fmt: skip
