"""What the agent knows of its terms, what it does not know yet, and whether its chances come true."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from recommendations.engine.push.agent.belief import HALF_LIFE, Belief
from recommendations.engine.push.agent.terms import AgentTerm, Values

ALPHA = 0.05  # of all terms together
ENOUGH = 100  # answers that a term rests on
TENTHS = 10
OFF, OFF_TENTHS = 0.25, 2  # share by which answers may miss what was told, and in how many tenths they may


@dataclass(frozen=True, kw_only=True)
class LearnedTerm:
    """A term in log odds a step, with the interval that holds for all terms together, and the answers it rests on."""

    term: AgentTerm
    value: float
    low: float
    high: float
    answers: int

    @property
    def is_known(self) -> bool:
        """Whether it may be told: its interval leaves 0 out, and it rests on 100 answers."""
        return self.answers >= ENOUGH and (self.low > 0 or self.high < 0)

    @property
    def missing(self) -> int:
        """Answers still missing; 0 where there are enough, though nothing may be certain yet."""
        return max(ENOUGH - self.answers, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Answers that were told and that came, by tenths of the chance, the lowest first."""

    told: Values
    came: Values

    @property
    def is_off(self) -> bool:
        """Whether answers miss by a quarter of what was told in two tenths or more."""
        return int((np.abs(self.came - self.told) > OFF * self.told).sum()) >= OFF_TENTHS


def learned_terms(belief: Belief, answers: Values) -> list[LearnedTerm]:
    """Each term of the belief but the level, by the answers [terms] that it rests on."""
    z = float(ndtri(1 - ALPHA / 2 / len(belief.mean)))
    columns = zip(belief.menu.terms, belief.mean, belief.errors, answers, strict=True)
    return [
        LearnedTerm(
            term=term, value=float(mean), low=float(mean - z * error), high=float(mean + z * error), answers=int(count)
        )
        for term, mean, error, count in list(columns)[1:]
    ]


def answers_of_terms(rows: Values, answered: Values) -> Values:
    """How many answers each term [terms] rests on: those to messages in whose score it stands."""
    count: Values = answered @ (np.nan_to_num(rows) != 0)
    return count


def remembered_answers(
    before: Mapping[str, float], belief: Belief, rows: Values, answered: Values, *, nights: float
) -> dict[str, float]:
    """Answers that each term rests on, by its code: those of before, which fade as the belief does, and tonight's."""
    keep = 2 ** (-nights / HALF_LIFE)
    tonight = answers_of_terms(rows, answered)
    return {
        term.code: round(keep * before.get(term.code, 0.0) + float(count), 3)
        for term, count in zip(belief.menu.terms, tonight, strict=True)
    }


def calibration(chance: Values, answered: Values) -> Calibration:
    """Answers by tenths of the messages [messages], ordered by the chance that was told."""
    parts = np.array_split(np.argsort(chance, kind="stable"), TENTHS)
    return Calibration(
        told=np.array([chance[part].sum() for part in parts]), came=np.array([answered[part].sum() for part in parts])
    )  # fmt: skip
