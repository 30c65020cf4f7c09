"""Which stage lost an item, found out the slow way: take it out of the candidates and see what the trace says then."""

from dataclasses import replace

from recommendations.engine.ranking.selection import IneligibleReason
from recommendations.serving.pipeline import Prepared, complete, select_candidates
from recommendations.terms import AnswerStage, RuleAction

PLACING = {RuleAction.PIN, RuleAction.CAP, RuleAction.MINIMUM_SHARE}


def stage_by_removal(asked: Prepared, item: int) -> tuple[AnswerStage, IneligibleReason | None]:
    """The stage that lost an item (its primary key), and why the item may not be shown."""
    if any(shown.item == item for shown in complete(asked).shown):
        return AnswerStage.SHOWN, None
    model = asked.snapshot.model
    row = -1 if model is None else model.items.row(item)
    if row < 0:
        return AnswerStage.MODEL, None
    before, after = select_candidates(asked), select_candidates(_without(asked, row))
    if before is None or after is None or before.trace.candidates == after.trace.candidates:
        return AnswerStage.CANDIDATES, None
    lost = {reason: count - after.trace.lost.get(reason, 0) for reason, count in before.trace.lost.items()}
    fell = [reason for reason, count in lost.items() if count]
    if fell:
        assert lost[fell[0]] == 1
        return AnswerStage.RULES if fell[0] is IneligibleReason.RULED_OUT else AnswerStage.ELIGIBILITY, fell[0]
    assert before.trace.eligible - after.trace.eligible == 1
    rules = tuple(rule for rule in asked.params.rules if rule.action not in PLACING)
    by_score = select_candidates(replace(asked, params=replace(asked.params, diversity=0.0, rules=rules)))
    assert by_score is not None
    in_time = asked.snapshot.stock_rows[row] in by_score.items
    return AnswerStage.DIVERSITY if in_time else AnswerStage.RANKING, None


def _without(asked: Prepared, row: int) -> Prepared:
    pool = asked.chosen.pool
    if pool is None:
        return asked
    keep = pool.items != row
    return replace(
        asked, chosen=replace(asked.chosen, pool=replace(pool, items=pool.items[keep], z=pool.z[:, keep]))
    )  # fmt: skip
