"""Diagnosis of one item on the way to an answer: the stage that lost it, and how far it is from being shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommendations.engine.ranking.rules import Rule
from recommendations.engine.ranking.selection import IneligibleReason, Selection, eligibility
from recommendations.serving.pipeline import Prepared, select_candidates
from recommendations.serving.types import Answer
from recommendations.simulation.counterfactual_rank import WouldRank, would_rank
from recommendations.terms import AnswerStage, RuleAction

PLACING = (RuleAction.PIN, RuleAction.CAP, RuleAction.MINIMUM_SHARE)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """How an item fared on the way to an answer: ``stage`` lost it; SHOWN: it is in the answer."""

    stage: AnswerStage
    row: int  # of the stock, −1 = gone
    rank: int | None = None  # in the answer where it is shown, else by score among the eligible
    eligible: int = 0
    lost: IneligibleReason | None = None  # why it may not be shown, at whatever stage it was lost
    rule: int | None = None  # that takes it out, buries it, or gives its place to another
    would_rank: WouldRank | None = None  # at CANDIDATES
    gap: float | None = None  # the score of the last one shown − that of the item
    speaking: tuple[tuple[str, float], ...] = ()  # instance: its part of the item's score − that of the last one shown


def diagnose(prepared: Prepared, answer: Answer, item: int) -> Diagnosis:
    """Diagnose an item (its primary key); ``answer`` is what ``complete`` makes of ``prepared``."""
    row = prepared.snapshot.stock.ids.row(item)
    rank = next((shown.rank for shown in answer.shown if shown.item == item), None)
    if rank is not None:
        return Diagnosis(stage=AnswerStage.SHOWN, row=row, rank=rank, eligible=len(answer.shown))
    model_row = -1 if prepared.candidates is None else prepared.candidates.model.items.row(item)
    lost, rule = barred(prepared, row) if row >= 0 else (None, None)
    if row < 0 or model_row < 0 or prepared.candidates is None:
        return Diagnosis(stage=AnswerStage.MODEL, row=row, lost=lost, rule=rule)
    pool = prepared.chosen.pool
    if pool is None or model_row not in pool.items:
        place = would_rank(prepared.candidates, prepared.chosen, model_row)
        return Diagnosis(stage=AnswerStage.CANDIDATES, row=row, lost=lost, rule=rule, would_rank=place)
    if lost is not None:
        stage = AnswerStage.RULES if lost is IneligibleReason.RULED_OUT else AnswerStage.ELIGIBILITY
        return Diagnosis(stage=stage, row=row, lost=lost, rule=rule)
    return _outranked(prepared, row)


def shown_at(prepared: Prepared, row: int) -> int | None:
    """The rank of a row of the stock among what is chosen of the pool; None: it is not."""
    chosen = select_candidates(prepared)
    return None if chosen is None else _place(chosen, row)


def with_rules(prepared: Prepared, rules: Sequence[Rule]) -> Prepared:
    return replace(prepared, params=replace(prepared.params, rules=tuple(rules)))


def barred(prepared: Prepared, row: int) -> tuple[IneligibleReason | None, int | None]:
    """Why a row of the stock may not be shown, and the first rule that alone takes it out."""
    lost = _lost(prepared, row)
    if lost is not IneligibleReason.RULED_OUT:
        return lost, None
    alone = (rule.key for rule in prepared.params.rules if _lost(with_rules(prepared, [rule]), row) is lost)
    return lost, next(alone, None)


def _lost(prepared: Prepared, row: int) -> IneligibleReason | None:
    _, lost = eligibility(np.array([row], np.int32), catalogue=prepared.catalogue, params=prepared.params)
    return next(iter(lost), None)


def _outranked(prepared: Prepared, row: int) -> Diagnosis:
    """Diagnosis of an item that may be shown, and is not."""
    params = prepared.params
    by_score = [rule for rule in params.rules if rule.action not in PLACING]
    everything = len(prepared.chosen.pool.items) if prepared.chosen.pool else params.n
    plain = select_candidates(
        replace(prepared, params=replace(params, n=everything, diversity=0.0, rules=tuple(by_score)))
    )
    chosen = select_candidates(prepared)
    rank = _place(plain, row) if plain else None
    if _is_folded(prepared, row, plain, chosen):
        return Diagnosis(stage=AnswerStage.ELIGIBILITY, row=row, lost=IneligibleReason.VARIANT)
    if plain is None or chosen is None or rank is None:
        return Diagnosis(stage=AnswerStage.RANKING, row=row)
    last = _place(plain, int(chosen.items[-1])) if len(chosen.items) else None
    return Diagnosis(
        stage=_stage(prepared, row, rank),
        row=row,
        rank=rank,
        eligible=len(plain.items),
        rule=_culprit(prepared, row, rank),
        gap=None if last is None else _score(plain, last) - _score(plain, rank),
        speaking=() if last is None else _speaking(prepared, plain, rank, last),
    )


def _is_folded(prepared: Prepared, row: int, plain: Selection | None, chosen: Selection | None) -> bool:
    """Whether another variant of the product has its tile: by score, in ``plain``, or pinned, in what is ``chosen``."""
    families = prepared.catalogue.families
    if families is None or plain is None or chosen is None:
        return False
    shown = np.concatenate([plain.items, chosen.items])
    return bool((families[shown[shown != row]] == families[row]).any())


def _stage(prepared: Prepared, row: int, rank: int) -> AnswerStage:
    """The stage that lost an item of this rank by score: fatigue where it would be shown without it."""
    params = prepared.params
    tired = params.ignored is not None and params.ignored.times_of(np.array([row], np.int32))[0]
    if tired and shown_at(replace(prepared, params=replace(params, ignored=None)), row):
        return AnswerStage.FATIGUE
    return AnswerStage.DIVERSITY if rank <= params.n else AnswerStage.RANKING


def _culprit(prepared: Prepared, row: int, rank: int) -> int | None:
    """The rule without which the item would be shown: one that gives its place away, or one that buries it."""
    rules = prepared.params.rules
    suspects = [
        rule
        for rule in rules
        if (rule.action in PLACING if rank <= prepared.params.n else rule.strength < 0 and rule.items[row])
    ]
    for rule in suspects:
        if shown_at(with_rules(prepared, [other for other in rules if other is not rule]), row):
            return rule.key
    return None


def _place(selection: Selection, row: int) -> int | None:
    places = np.flatnonzero(selection.items == row)
    return int(places[0]) + 1 if len(places) else None


def _score(selection: Selection, rank: int) -> float:
    boosts = sum(float(added[rank - 1]) for added in selection.boosts.values())
    return float(selection.score[rank - 1]) + float(selection.fatigue[rank - 1]) + boosts


def _speaking(prepared: Prepared, selection: Selection, rank: int, last: int) -> tuple[tuple[str, float], ...]:
    """Differences by instance, the largest first; those that say the same of both are left out."""
    names = [*(prepared.chosen.pool.instances if prepared.chosen.pool else ()), *map(str, selection.lifted)]
    parts = np.vstack([selection.contributions, *selection.lifted.values()])
    differences = parts[:, rank - 1] - parts[:, last - 1]
    unequal = [(name, float(value)) for name, value in zip(names, differences, strict=True) if value]
    return tuple(sorted(unequal, key=lambda part: -abs(part[1])))
