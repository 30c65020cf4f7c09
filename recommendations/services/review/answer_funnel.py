"""Funnel of an answer: how many items each stage left, took out and brought in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recommendations.engine.ranking.selection import IneligibleReason
from recommendations.serving.types import Answer
from recommendations.store.serving.served_rules import ServedRules
from recommendations.terms import AnswerStage, RuleAction
from recommendations.wording.labels import SOURCES

type Counts = list[tuple[str, int]]

OUT = frozenset({RuleAction.EXCLUDE, RuleAction.INCLUDE_ONLY})


@dataclass(frozen=True, kw_only=True)
class Step:
    """A stage of an answer, in words and counts: what the one before left − ``lost`` + ``gained`` = ``left``."""

    stage: AnswerStage
    left: int
    lost: Counts = field(default_factory=list)
    gained: Counts = field(default_factory=list)


def steps(answer: Answer, *, rules: ServedRules) -> list[Step]:
    """Steps from the candidates to what fills an answer that they are too few for. ``rules``: those of the answer."""
    trace = answer.trace
    ruled_out = trace.lost.get(IneligibleReason.RULED_OUT, 0)
    filled = sum(trace.filled.values())
    chosen, outside = len(answer.shown) - filled, _pinned_from_outside(answer, rules)
    below = trace.eligible + outside - chosen
    swapped = [(gettext("for variety"), trace.diversified)] if trace.diversified else []
    sources = {str(code): str(words) for code, words in SOURCES}
    return [
        Step(stage=AnswerStage.CANDIDATES, left=trace.candidates),
        Step(
            stage=AnswerStage.ELIGIBILITY,
            left=trace.eligible + ruled_out,
            lost=[
                (str(_LOST[reason]), count)
                for reason, count in trace.lost.items()
                if reason is not IneligibleReason.RULED_OUT
            ],
        ),
        Step(stage=AnswerStage.FATIGUE, left=trace.eligible + ruled_out),
        Step(
            stage=AnswerStage.RULES,
            left=trace.eligible + outside,
            lost=_taken_out(answer, rules),
            gained=[(gettext("pinned from outside the candidates"), outside)] if outside else [],
        ),
        Step(
            stage=AnswerStage.RANKING,
            left=chosen,
            lost=[(gettext("below the last one shown"), below)] if below else [],
        ),
        Step(stage=AnswerStage.DIVERSITY, left=chosen, lost=swapped, gained=swapped),
        Step(
            stage=AnswerStage.SHOWN,
            left=len(answer.shown),
            gained=[(sources[source], count) for source, count in trace.filled.items()],
        ),
    ]


def _taken_out(answer: Answer, rules: ServedRules) -> Counts:
    """Names of the rules that took items out, with how many each, in the order of the book."""
    ruled = answer.trace.ruled
    return [(rule.name, ruled[rule.key]) for rule in rules.rules if rule.action in OUT and ruled.get(rule.key)]


def _pinned_from_outside(answer: Answer, rules: ServedRules) -> int:
    """Count pinned items that are no candidates: they have no contribution of any recommender."""
    pins = {rule.key for rule in rules.rules if rule.action is RuleAction.PIN}
    return sum(not entry.contributions and not pins.isdisjoint(entry.rules) for entry in answer.shown)


_LOST: Mapping[IneligibleReason, Promise] = {
    IneligibleReason.UNSELLABLE: _("out of stock or not on sale now"),
    IneligibleReason.EXCLUDED: _("disliked, or in view already"),
    IneligibleReason.FILTERED: _("outside the filter of the request"),
    IneligibleReason.BOUGHT: _("bought already"),
    IneligibleReason.NOT_BOUGHT: _("never bought"),
    IneligibleReason.RESTING: _("bought too recently"),
    IneligibleReason.VARIANT: _("another variant of the product ranks higher"),
}
