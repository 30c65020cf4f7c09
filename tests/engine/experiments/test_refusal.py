"""Refusals: every code, at its bar, with the figures of its sentence."""

import math
from dataclasses import replace

import pytest

from recommendations.engine.experiments.off_policy import Estimate
from recommendations.engine.experiments.refusal import LogFacts, RefusalCode, refused

FACTS = LogFacts(answers=10_000, shuffled=1_000, unmakeable=0, recent=10_000, answers_a_day=500)
GOOD = Estimate(
    value=0.01, low=0.0, high=0.02, live=0.3, answers=10_000, worth=2_500, never_shown=0.02, largest=30,
    heaviest=0.1, together=1.0, changed=0.5,
)  # fmt: skip


def code(estimate: Estimate | None, facts: LogFacts) -> RefusalCode | None:
    refusal = refused(estimate, facts)
    return refusal.code if refusal else None


def test_a_good_estimate_is_not_refused() -> None:
    assert refused(GOOD, FACTS) is None


@pytest.mark.parametrize(
    ("estimate", "facts", "expected", "figures"),
    [
        ({}, {"shuffled": 0}, "no_exploration", {"answers": 10_000, "days": 10}),
        ({}, {"unmakeable": 2_500}, "unmakeable", {"share": 0.25}),
        ({}, {"recent": 4_000}, "moved", {"share": 0.4, "days": 4}),  # 4,000 + 2,000 are half of 12,000
        ({"worth": 400}, {}, "too_few", {"worth": 400, "needed": 1_000, "days": 30}),  # 25,000 answers are worth 1,000
        ({}, {"revenue": True}, "too_few", {"worth": 2_500, "needed": 5_000, "days": 20}),
        ({"never_shown": 0.23}, {}, "never_shown", {"share": 0.23}),
        ({"together": 0.48}, {}, "order_matters", {"together": 0.48, "changed": 0.5}),
        ({"together": 1.8}, {}, "order_matters", {"together": 1.8, "changed": 0.5}),
        ({"heaviest": 0.6}, {}, "one_carries_all", {"share": 0.6}),
    ],
)
def test_each_refusal(
    estimate: dict[str, float], facts: dict[str, int], expected: str, figures: dict[str, float]
) -> None:
    refusal = refused(replace(GOOD, **estimate), replace(FACTS, **facts))
    assert refusal
    assert refusal.code == expected
    assert refusal.facts == pytest.approx(figures)


def test_bars_are_reached_and_not_passed() -> None:
    reached = replace(GOOD, worth=1_000, never_shown=0.1, together=0.7, heaviest=0.5)
    assert refused(reached, replace(FACTS, unmakeable=2_000, recent=5_000)) is None
    assert refused(replace(GOOD, together=0.5, changed=0.2), FACTS) is None


def test_the_first_that_holds_is_given() -> None:
    hopeless = replace(GOOD, worth=10, never_shown=0.9, together=0.1, heaviest=0.9)
    mending: list[tuple[dict[str, float], dict[str, int]]] = [
        ({}, {"shuffled": 1_000}), ({}, {"unmakeable": 0}), ({}, {"recent": 10_000}), ({"worth": 9_000}, {}),
        ({"never_shown": 0.0}, {}), ({"together": 1.0}, {}), ({"heaviest": 0.0}, {}),
    ]  # fmt: skip
    facts, codes = replace(FACTS, shuffled=0, unmakeable=9_000, recent=0), []
    for better, log in mending:
        codes.append(code(hopeless, facts))
        hopeless, facts = replace(hopeless, **better), replace(facts, **log)
    assert codes == list(RefusalCode)
    assert code(hopeless, facts) is None


def test_without_an_estimate_only_the_log_speaks() -> None:
    assert code(None, replace(FACTS, shuffled=0)) is RefusalCode.NO_EXPLORATION
    assert refused(None, FACTS) is None


def test_without_traffic_nothing_comes() -> None:
    refusal = refused(replace(GOOD, worth=0.0), replace(FACTS, answers_a_day=0))
    assert refusal
    assert refusal.facts["days"] == math.inf
