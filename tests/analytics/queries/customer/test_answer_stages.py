"""Stages and evidence in words."""

import pytest

from analytics.queries.customer.answer_stages import STAGES, passed
from analytics.queries.customer.evidence_words import facts_in_words
from recommendations.terms import AnswerStage


def fates(stage: AnswerStage) -> list[str]:
    return [fate for _, fate in passed(stage)]


def test_stages_before_the_lost_one_were_passed_and_those_behind_never_reached() -> None:
    assert fates(AnswerStage.ELIGIBILITY) == ["passed", "passed", "lost", *["never"] * 5]
    assert fates(AnswerStage.MODEL) == ["lost", *["never"] * 7]
    assert fates(AnswerStage.SHOWN) == ["passed"] * 8


@pytest.mark.parametrize("stage", AnswerStage)
def test_every_stage_has_words(stage: AnswerStage) -> None:
    assert str(STAGES[stage])


def test_numbers_of_a_reason_have_names_and_names_are_no_numbers() -> None:
    evidence = {"times": 8.0, "every_days": 26.04, "days_since": 53.3, "title": "Tea", "item_id": "17", "unknown": 5.0}
    assert facts_in_words(evidence) == [
        ("8", "times bought"), ("26.0", "days between two purchases"), ("53.3", "days since the last one"),
    ]  # fmt: skip
    assert facts_in_words({"mailer": 0.25}) == [("25%", "of the stores have it in the leaflet")]
