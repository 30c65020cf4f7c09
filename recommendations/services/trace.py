"""What became of the items on the way to an answer: how many each stage left, took out and brought in."""

from dataclasses import dataclass, field

from recommendations.loop.answer import Answer
from recommendations.terms import AnswerStage


@dataclass(frozen=True, kw_only=True)
class Step:
    """A stage of an answer: how many items it left, which it took (in words) and which it brought in."""

    stage: AnswerStage
    left: int
    lost: list[tuple[str, int]] = field(default_factory=list)
    gained: list[tuple[str, int]] = field(default_factory=list)


def steps(answer: Answer) -> list[Step]:
    return [
        Step(stage=AnswerStage.CANDIDATES, left=answer.trace.candidates),
        Step(stage=AnswerStage.SHOWN, left=len(answer.shown)),
    ]
