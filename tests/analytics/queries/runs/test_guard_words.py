"""Every check of the guard has its sentence, in both languages."""

import pytest
from django.utils import translation

from analytics.queries.runs.guard_words import sentence
from recommendations.watch_terms import GuardCheck

SENTENCES = {
    GuardCheck.CUSTOMERS: "Customers: 0 became 1.",
    GuardCheck.ITEMS: "Items: 0 became 1.",
    GuardCheck.EVENTS: "Events: 0 became 1.",
    GuardCheck.TRUTH: "Customers who bought in the test window: 0 became 1.",
    GuardCheck.CONFIRMED: "Confirmed customers: 25% of all became 75%.",
    GuardCheck.SET_ASIDE: "Set aside: 75% of the events.",
    GuardCheck.TRENDING: "Trending: items that hardly any confirmed customer buys hold 75% of its positions.",
    GuardCheck.ACCURACY: "Distance to the best simple list: +25.0% became +75.0%, beyond both intervals.",
    GuardCheck.SEGMENTS: "Segments with rules or weights of their own: of 0, this model has lost 1. See below.",
}


@pytest.mark.parametrize("check", list(GuardCheck))
def test_every_check_has_its_sentence(check: GuardCheck) -> None:
    unusual = {"check": str(check), "before": 0.25, "now": 0.75}
    assert sentence(unusual) == SENTENCES[check]


def test_in_chinese() -> None:
    with translation.override("zh-hans"):
        assert sentence({"check": "customers", "before": 2469.0, "now": 30323.0}) == "顾客数由 2,469 变为 30,323。"
