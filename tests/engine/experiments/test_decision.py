"""Verdicts: every code, in the order of the table, with the figures of its sentence."""

import math
from dataclasses import replace
from typing import Any

import pytest

from recommendations.engine.experiments.decision import (
    Contrast,
    ExperimentStanding,
    Guardrail,
    VerdictCode,
    days_to_go,
    decide,
)
from recommendations.engine.experiments.effects import TreatmentEffect
from recommendations.engine.experiments.sequences import half_width, mixture_scale

SE = 0.1
TAU2 = mixture_scale(SE, 0.05)
HALF = half_width(SE, TAU2, 0.05)


def contrast(value: float, *, arm: int = 1, se: float = SE, base: float = 10.0, **changes: Any) -> Contrast:
    effect = TreatmentEffect(value, se, base)
    return Contrast(**{"arm": arm, "effect": effect, "tau2": TAU2, "successes": 500} | changes)


def guardrail(value: float, **changes: Any) -> Guardrail:
    effect = TreatmentEffect(value, 0.01, 1.0)
    tau2 = mixture_scale(0.01, 0.1)
    given = {"metric": "refunds", "arm": 1, "effect": effect, "tau2": tau2, "tolerance": 0.05, "successes": 900}
    return Guardrail(**given | changes)


def standing(*contrasts: Contrast, **changes: Any) -> ExperimentStanding:
    arms = len(contrasts) + 1
    given: dict[str, Any] = {
        "days": 14, "planned_days": 28, "counts": [5000] * arms, "shares": [1 / arms] * arms,
        "control_successes": 500, "contrasts": contrasts, "smallest": 0.02,
    }  # fmt: skip
    return ExperimentStanding(**given | changes)


def code(*contrasts: Contrast, **changes: Any) -> VerdictCode:
    return decide(standing(*contrasts, **changes)).code


def test_a_broken_split_comes_before_all_else() -> None:
    verdict = decide(standing(contrast(5.0), counts=[5180, 4620], guardrails=[guardrail(1.0)], days=2))
    assert verdict.code is VerdictCode.BROKEN_SPLIT
    assert verdict.facts["seen"] == pytest.approx([5180 / 9800, 4620 / 9800])
    assert verdict.facts["planned"] == [0.5, 0.5]


def test_harm_stops_also_before_the_week_is_over() -> None:
    verdict = decide(standing(contrast(5.0), guardrails=[guardrail(0.04), guardrail(0.2, metric="fallback")], days=2))
    assert verdict.code is VerdictCode.HARM
    half = half_width(0.01, mixture_scale(0.01, 0.1), 0.05)  # two guardrails, one-sided: 2 · .05 / 2
    assert verdict.facts["metric"] == "fallback"
    assert verdict.facts["low"] == pytest.approx(0.2 - half)
    assert verdict.facts["high"] == pytest.approx(0.2 + half)


def test_harm_needs_the_whole_interval_beyond_the_tolerance() -> None:
    half = half_width(0.01, mixture_scale(0.01, 0.1), 0.1)
    assert code(contrast(5.0), guardrails=[guardrail(0.05 + half + 1e-6)]) is VerdictCode.HARM
    assert code(contrast(5.0), guardrails=[guardrail(0.05 + half - 1e-6)]) is VerdictCode.SHIP
    assert code(contrast(5.0), guardrails=[guardrail(-0.5)]) is VerdictCode.SHIP
    fewer = guardrail(-0.05 - half - 1e-6, higher_is_worse=False)
    assert code(contrast(5.0), guardrails=[fewer]) is VerdictCode.HARM
    assert code(contrast(5.0), guardrails=[replace(fewer, higher_is_worse=True)]) is VerdictCode.SHIP


def test_more_guardrails_need_wider_intervals() -> None:
    edge = guardrail(0.05 + half_width(0.01, mixture_scale(0.01, 0.1), 0.1) + 1e-6)
    assert code(contrast(5.0), guardrails=[edge]) is VerdictCode.HARM
    assert code(contrast(5.0), guardrails=[edge, guardrail(0.0)]) is VerdictCode.SHIP


def test_what_happened_to_few_is_no_harm() -> None:
    assert code(contrast(5.0), guardrails=[guardrail(0.9, successes=99)]) is VerdictCode.SHIP
    assert code(contrast(5.0), guardrails=[guardrail(0.9, successes=100)]) is VerdictCode.HARM
    unknown = TreatmentEffect(1.0, math.inf, 0.0)
    assert code(contrast(5.0), guardrails=[guardrail(0.9, effect=unknown)]) is VerdictCode.SHIP


@pytest.mark.parametrize("early", [{"days": 6}, {"control_successes": 99}])
def test_too_early(early: dict[str, Any]) -> None:
    verdict = decide(standing(contrast(5.0), **early))
    assert verdict.code is VerdictCode.TOO_EARLY
    assert code(contrast(5.0), days=7, control_successes=100) is VerdictCode.SHIP
    assert code(contrast(5.0, successes=99)) is VerdictCode.TOO_EARLY
    assert "replayed" not in verdict.facts
    assert decide(standing(contrast(5.0), replayed=True, **early)).facts["replayed"] is True


def test_ship_what_is_above_the_control_for_certain() -> None:
    verdict = decide(standing(contrast(HALF + 0.01)))
    assert verdict.code is VerdictCode.SHIP
    assert verdict.facts["arm"] == 1
    assert verdict.facts["value"] == pytest.approx((HALF + 0.01) / 10)
    assert verdict.facts["low"] == pytest.approx(0.001)
    assert code(contrast(HALF - 0.01)) is not VerdictCode.SHIP


def test_of_several_better_arms_the_highest_is_shipped() -> None:
    verdict = decide(standing(contrast(0.9), contrast(1.4, arm=2), contrast(0.0, arm=3)))
    assert verdict.code is VerdictCode.SHIP
    assert verdict.facts["arm"] == 2
    assert verdict.facts["also_better"] == [1]


def test_each_of_several_arms_has_a_part_of_alpha() -> None:
    assert code(contrast(HALF + 0.001)) is VerdictCode.SHIP
    assert code(contrast(HALF + 0.001), contrast(0.0, arm=2)) is not VerdictCode.SHIP


def test_keep_the_control_where_all_are_below_it() -> None:
    verdict = decide(standing(contrast(-HALF - 0.06)))
    assert verdict.code is VerdictCode.KEEP
    assert verdict.facts["at_least"] == pytest.approx(0.006)
    assert code(contrast(-1.0), contrast(0.1, arm=2)) is VerdictCode.NOT_YET


def test_alike_within_the_smallest_lift() -> None:
    assert code(contrast(0.0), smallest=(HALF + 1e-6) / 10) is VerdictCode.ALIKE
    assert code(contrast(0.0), smallest=(HALF - 1e-6) / 10) is VerdictCode.NOT_YET
    verdict = decide(standing(contrast(0.0), contrast(-1.0, arm=2), smallest=0.05))
    assert verdict.code is VerdictCode.ALIKE
    assert (verdict.facts["arms"], verdict.facts["worse"]) == ([1], [2])


def test_the_planned_end_without_a_difference() -> None:
    verdict = decide(standing(contrast(0.1), days=28))
    assert verdict.code is VerdictCode.ENDED
    assert verdict.facts["low"] == pytest.approx((0.1 - HALF) / 10)
    assert verdict.facts["high"] == pytest.approx((0.1 + HALF) / 10)
    assert code(contrast(HALF + 0.01), days=28) is VerdictCode.SHIP


def test_days_to_go_by_the_growth_of_information() -> None:
    """1/s² grew by 50 in 7 days and is 100; the wanted half-width is that of s = .0707, 1/s² = 200: 14 days."""
    wanted = half_width(200**-0.5, TAU2, 0.05)
    waiting = standing(contrast(0.0, week_before=50**-0.5), smallest=(wanted + 1e-9) / 10)
    verdict = decide(waiting)
    assert verdict.code is VerdictCode.NOT_YET
    assert verdict.facts["days_to_go"] == 14
    assert days_to_go(replace(waiting, smallest=1.0)) == 0


def test_where_nothing_grows_no_day_is_named() -> None:
    assert days_to_go(standing(contrast(0.0, week_before=SE))) is None
    assert days_to_go(standing(contrast(0.0, week_before=SE / 2))) is None
    assert days_to_go(standing(contrast(0.0, base=0.0))) is None
    assert days_to_go(standing(contrast(0.0, week_before=0.15), contrast(0.0, arm=2, week_before=SE))) is None


def test_every_code_is_reached() -> None:
    reached = {
        code(contrast(0.0), counts=[6000, 4000]), code(contrast(0.0), guardrails=[guardrail(0.5)]),
        code(contrast(0.0), days=1), code(contrast(1.0)), code(contrast(-1.0)), code(contrast(0.0), smallest=0.1),
        code(contrast(0.0), days=28), code(contrast(0.0)),
    }  # fmt: skip
    assert reached == set(VerdictCode)
