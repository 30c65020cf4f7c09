"""Refusals: why a log cannot tell what a draft would have earned, with the figure and what would mend it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from recommendations.engine.experiments.attention import FEWEST
from recommendations.engine.experiments.off_policy import Estimate

MOST_UNMAKEABLE = 0.2
FEWEST_RECENT = 0.5
"""Least share of the answers that the last two models made."""

LEAST_WORTH = 1_000.0
LEAST_WORTH_OF_REVENUE = 5_000.0
MOST_NEVER_SHOWN = 0.1
TOGETHER = (0.7, 1.5)
MOST_CHANGED = 0.2
"""Share of the list that may change where the slots of an answer are not independent."""

MOST_OF_ONE = 0.5


class RefusalCode(StrEnum):
    """Reasons to give no figure; the first that holds is given."""

    NO_EXPLORATION = "no_exploration"
    UNMAKEABLE = "unmakeable"
    MOVED = "moved"
    TOO_FEW = "too_few"
    NEVER_SHOWN = "never_shown"
    ORDER_MATTERS = "order_matters"
    ONE_CARRIES_ALL = "one_carries_all"


@dataclass(frozen=True, kw_only=True)
class LogFacts:
    """What a log holds, besides what an estimate tells of it."""

    answers: int  # that were given and seen, made again or not
    shuffled: int  # of them
    unmakeable: int  # of them: nothing can say what the draft would have shown
    recent: int  # of them: made by the last two models
    answers_a_day: float
    revenue: bool = False  # money is estimated, and not clicks


@dataclass(frozen=True, kw_only=True)
class EstimateRefusal:
    """A reason, and the figures of its sentence."""

    code: RefusalCode
    facts: Mapping[str, float]


def refused(estimate: Estimate | None, facts: LogFacts) -> EstimateRefusal | None:
    """Say why there is no figure; None where there is. ``estimate`` is None where the log allows none.

    ``days`` of the facts are those until there would be one at the traffic of ``answers_a_day``; infinite without any.
    """
    before = _of_log(facts)
    if before is not None or estimate is None:
        return before
    least = LEAST_WORTH_OF_REVENUE if facts.revenue else LEAST_WORTH
    if estimate.worth < least:
        missing = estimate.answers * (least / estimate.worth - 1) if estimate.worth > 0 else math.inf
        worth = {"worth": estimate.worth, "needed": least, "days": _days(missing, facts)}
        return EstimateRefusal(code=RefusalCode.TOO_FEW, facts=worth)
    if estimate.never_shown > MOST_NEVER_SHOWN:
        return EstimateRefusal(code=RefusalCode.NEVER_SHOWN, facts={"share": estimate.never_shown})
    independent = TOGETHER[0] <= estimate.together <= TOGETHER[1]
    if not independent and estimate.changed > MOST_CHANGED:
        changes = {"together": estimate.together, "changed": estimate.changed}
        return EstimateRefusal(code=RefusalCode.ORDER_MATTERS, facts=changes)
    if estimate.heaviest > MOST_OF_ONE:
        return EstimateRefusal(code=RefusalCode.ONE_CARRIES_ALL, facts={"share": estimate.heaviest})
    return None


def _of_log(facts: LogFacts) -> EstimateRefusal | None:
    """Reasons that hold for any draft."""
    if not facts.shuffled:
        wait = {"answers": float(facts.answers), "days": _days(FEWEST, facts)}
        return EstimateRefusal(code=RefusalCode.NO_EXPLORATION, facts=wait)
    if facts.unmakeable > MOST_UNMAKEABLE * facts.answers:
        return EstimateRefusal(code=RefusalCode.UNMAKEABLE, facts={"share": facts.unmakeable / facts.answers})
    if facts.recent < FEWEST_RECENT * facts.answers:
        missing = facts.answers - facts.recent / FEWEST_RECENT
        moved = {"share": facts.recent / facts.answers, "days": _days(missing, facts)}
        return EstimateRefusal(code=RefusalCode.MOVED, facts=moved)
    return None


def _days(answers: float, facts: LogFacts) -> float:
    return answers / facts.answers_a_day if facts.answers_a_day > 0 else math.inf
