"""What the agent refuses, and the number that is missing: codes and figures, worded elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from recommendations.engine.push.agent.caused import FEWEST_HELD, WIDEST, CausedShares
from recommendations.engine.push.agent.off_policy import AgentEstimate
from recommendations.engine.push.agent.terms import Lever

WINDOW_DAYS = 56
ENOUGH_ANSWERS = 200  # within the window
LEVER_ANSWERS, SIDE_ANSWERS = 100, 20
LOGGED_ANSWERS = 1_000
HEAVIEST_PERSON = 0.1
MOST_WITHOUT_OUTCOME = 0.2
OLDEST_VERSION = 7.0  # days


class AgentRefusalCode(StrEnum):
    """Reasons not to act, not to vary or not to tell; of those not to act the first that holds is given."""

    NO_HOLDOUT = "no_holdout"
    BROKEN_SPLIT = "broken_split"
    GUARDRAIL = "guardrail"
    WORSE_BY_LOG = "worse_by_log"
    NO_OUTCOMES = "no_outcomes"
    TOO_FEW_ANSWERS = "too_few_answers"
    NO_VERSION = "no_version"
    OLD_VERSION = "old_version"
    NOTHING_TO_VARY = "nothing_to_vary"
    LEVER_TOO_FEW = "lever_too_few"
    LEVER_ONE_SIDED = "lever_one_sided"
    CAUSED_TOO_FEW_HELD = "caused_too_few_held"
    CAUSED_TOO_WIDE = "caused_too_wide"
    NO_CHANCES = "no_chances"
    TOO_FEW_LOGGED = "too_few_logged"
    ONE_PERSON_CARRIES = "one_person_carries"
    MONEY_NOT_SEEN = "money_not_seen"
    TOO_FEW_PEOPLE = "too_few_people"


@dataclass(frozen=True, kw_only=True)
class AgentRefusal:
    """A reason, and the figures of its sentence: what there is, what is needed, what is missing."""

    code: AgentRefusalCode
    facts: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class AgentRecord:
    """What stands of an agent when it is asked whether it may act."""

    answers: int  # of the last 56 days
    held_out: int  # people
    split_is_even: bool  # the check of the groups' sizes holds
    guardrail_fired: bool  # and nothing was changed since
    decisions: int  # whose days are over
    without_outcome: int  # of them
    version_age: float | None  # days; None: there is no version, or its digest is another one
    levers: int  # that are ticked and not pinned


def acting_refusal(record: AgentRecord) -> AgentRefusal | None:
    """Why the agent may not act; None where it may."""
    code = AgentRefusalCode
    if not record.held_out:
        return _refusal(code.NO_HOLDOUT, there=0, needed=1)
    if not record.split_is_even:
        return _refusal(code.BROKEN_SPLIT)
    if record.guardrail_fired:
        return _refusal(code.GUARDRAIL)
    if record.without_outcome > MOST_WITHOUT_OUTCOME * record.decisions:
        share = record.without_outcome / record.decisions
        return AgentRefusal(code=code.NO_OUTCOMES, facts={"share": share, "most": MOST_WITHOUT_OUTCOME})
    refusal = _version_refusal(record)
    if refusal is not None or record.answers >= ENOUGH_ANSWERS:
        return refusal
    return _refusal(
        code.TOO_FEW_ANSWERS, there=record.answers, needed=ENOUGH_ANSWERS
    )  # last, as it may explore for them


def lever_refusal(answers_by_side: Mapping[str, int]) -> AgentRefusal | None:
    """Why a lever may not be varied, by the answers on each of its sides; None where it may."""
    every, sides = sum(answers_by_side.values()), len(answers_by_side)
    least = min(answers_by_side.values()) if sides > 1 else 0  # where all went one way, the other has no answer
    if every < LEVER_ANSWERS:
        return _refusal(AgentRefusalCode.LEVER_TOO_FEW, there=every, needed=LEVER_ANSWERS)
    if least < SIDE_ANSWERS:
        return _refusal(AgentRefusalCode.LEVER_ONE_SIDED, there=least, needed=SIDE_ANSWERS)
    return None


def lever_refusals(answers: Mapping[Lever, Mapping[str, int]]) -> dict[Lever, AgentRefusal]:
    """The levers that may not be varied, and why."""
    refusals = {lever: lever_refusal(sides) for lever, sides in answers.items()}
    return {lever: refusal for lever, refusal in refusals.items() if refusal is not None}


def caused_refusal(shares: CausedShares, band: int) -> AgentRefusal | None:
    """Why a band's own share of caused answers may not be told; None where it may."""
    held = int(shares.held[band])
    if held < FEWEST_HELD:
        return _refusal(AgentRefusalCode.CAUSED_TOO_FEW_HELD, there=held, needed=FEWEST_HELD)
    half = float(shares.halves[band])
    if half > WIDEST:
        return AgentRefusal(code=AgentRefusalCode.CAUSED_TOO_WIDE, facts={"half": half, "most": WIDEST})
    return None


def off_policy_refusal(estimate: AgentEstimate | None) -> AgentRefusal | None:
    """Why a log gives no figure; ``estimate`` is None where it holds no chances but of one option each."""
    if estimate is None:
        return _refusal(AgentRefusalCode.NO_CHANCES)
    if estimate.answers < LOGGED_ANSWERS:
        return _refusal(AgentRefusalCode.TOO_FEW_LOGGED, there=estimate.answers, needed=LOGGED_ANSWERS)
    if estimate.heaviest > HEAVIEST_PERSON:
        facts = {"share": estimate.heaviest, "most": HEAVIEST_PERSON}
        return AgentRefusal(code=AgentRefusalCode.ONE_PERSON_CARRIES, facts=facts)
    return None


def money_refusal(low: float, high: float) -> AgentRefusal | None:
    """Why "better than the rule" may not be said in money: the interval of all looks is not above 0."""
    if low > 0:
        return None
    return AgentRefusal(code=AgentRefusalCode.MONEY_NOT_SEEN, facts={"low": low, "high": high})


def _version_refusal(record: AgentRecord) -> AgentRefusal | None:
    if record.version_age is None:
        return _refusal(AgentRefusalCode.NO_VERSION)
    if record.version_age > OLDEST_VERSION:
        facts = {"days": record.version_age, "most": OLDEST_VERSION}
        return AgentRefusal(code=AgentRefusalCode.OLD_VERSION, facts=facts)
    if not record.levers:
        return _refusal(AgentRefusalCode.NOTHING_TO_VARY, there=0, needed=1)
    return None


def _refusal(code: AgentRefusalCode, *, there: int | None = None, needed: int | None = None) -> AgentRefusal:
    if there is None or needed is None:
        return AgentRefusal(code=code, facts={})
    return AgentRefusal(code=code, facts={"there": there, "needed": needed, "missing": needed - there})
