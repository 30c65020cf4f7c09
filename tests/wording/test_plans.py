"""Plans of experiments in words, in both languages."""

# ruff: noqa: RUF001 -- Chinese has full-width signs

import re
from typing import Any

import pytest
from django.utils import translation

from recommendations.experiment_terms import PlanRefusal
from recommendations.terms import Metric
from recommendations.wording.plans import aa_text, cap_text, past_spending_text, plan_text, refusal_text

LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-hans"])
TOO_LONG = {"days": 140, "most": 56, "click_days": 12, "arms": 3, "traffic": 0.5}
REFUSALS: dict[str, list[dict[str, Any]]] = {
    "nothing_known": [{}],
    "too_new": [{"days": 6, "more": 1}, {"days": 3, "more": 4}],
    "nothing_happened": [{"metric": "revenue", "click_days": 9}, {"metric": "ctr", "click_days": None}],
    "too_long": [TOO_LONG, {**TOO_LONG, "days": None, "click_days": None}],
}


def is_a_sentence(text: str, language: str) -> bool:
    whole = not re.search(r"%\(|%[sd]|None", text) and text[-1] in ".。"
    return whole and bool(re.search("[一-鿿]", text)) == (language == "zh-hans")


@LANGUAGES
@pytest.mark.parametrize("code", list(PlanRefusal))
def test_every_refusal_has_words(code: PlanRefusal, language: str) -> None:
    with translation.override(language):
        for facts in REFUSALS[code]:
            assert is_a_sentence(refusal_text(code, facts), language)


def test_a_plan_that_is_too_long_says_what_would_help() -> None:
    text = refusal_text("too_long", TOO_LONG)
    assert text == (
        "Not with this traffic: it would take about 140 days, and 56 are the most. Take clicks as the primary metric "
        "(about 12 days), or more of the traffic, or fewer arms, or a bigger change."
    )
    only = refusal_text("too_long", {**TOO_LONG, "click_days": None, "arms": 2, "traffic": 1.0})
    assert only.endswith("the most. Take a bigger change.")
    with translation.override("zh-hans"):
        assert refusal_text("too_long", {**TOO_LONG, "traffic": 1.0}) == (
            "目前的流量不够：约需 140 天，而最长为 56 天。"
            "建议：以点击为主要指标（约 12 天），或减少实验组，或做更大的改动。"
        )


@LANGUAGES
def test_what_a_plan_says_of_the_shop_has_words(language: str) -> None:
    with translation.override(language):
        texts = [plan_text(23, metric=metric, smallest=0.02, traffic=0.5) for metric in Metric]
        texts += [aa_text(None, splits=500, is_even=False), *(aa_text(0.08, splits=500, is_even=so) for so in (0, 1))]
        texts += [past_spending_text(part) for part in (0.0, 0.34)]
        texts += [cap_text(212, capped, metric="revenue") for capped in (1, 37)]
        assert all(is_a_sentence(text, language) for text in texts)


def test_the_figures_stand_in_the_sentences() -> None:
    assert plan_text(23, metric="revenue", smallest=0.02, traffic=0.5) == (
        "About 23 days with 50% of the traffic: then a lift of 2% in revenue per visitor shows in four of five cases."
    )
    # 1 / (1 − .34) = 1.515
    assert past_spending_text(0.34) == "Past spending explains 34% of the scatter: worth 1.5 times the visitors."
    assert past_spending_text(0.019) == past_spending_text(0.0) != past_spending_text(0.02)
    assert cap_text(212, 37, metric="revenue") == "Spending above $212 counts as $212: 37 people."
    assert aa_text(0.032, splits=500, is_even=True) == (
        "Split 500 times without any change, past visitors differed in 3.2% of the cases: the numbers behave."
    )
