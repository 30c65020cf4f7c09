"""Findings of the linter in words."""

import pytest
from django.utils import translation

from recommendations.engine.ranking.linting.book import FaultKind
from recommendations.wording.linter import fault_text

NUMBERS = dict.fromkeys(("slot", "slots", "most", "left", "needed", "shown", "strength", "percent"), 7)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("fault", list(FaultKind))
def test_every_fault_has_words(fault: FaultKind, language: str) -> None:
    with translation.override(language):
        text = fault_text(fault, rules=["Tea", "Wine", "Soap"], subject=1, placement="home", numbers=NUMBERS)
    assert "Wine" in text
    assert "%" not in text.replace("7 %", "").replace("100 %", "")


def test_other_rules_are_listed_in_their_order() -> None:
    text = fault_text("shadowed", rules=["Tea", "Wine", "Soap"], subject=1, placement="", numbers={})
    assert text == "“Wine” has no effect because of “Tea” and “Soap”: remove it, or let them apply apart."
