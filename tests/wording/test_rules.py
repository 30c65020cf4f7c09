"""Rules in sentences: what their values are called, and how they stand between Chinese words."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.utils import translation

from recommendations.wording.audiences import audience_text
from recommendations.wording.rules import rule_text

TITLES = {("item", "7"): "Wrenmead Beef", ("item", "8"): "牛肉", ("category", "GROCERY > MISC WINE"): "Other wine"}


def condition(attribute: str, *values: Any, operator: str = "is") -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "values": list(values)}


def rule(*items: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    usual = {"placement": None, "segment": None, "customer": None, "context": [], "starts_at": None, "ends_at": None}
    return {**usual, "action": "pin", "slot": 1, "items": list(items), **values}


BEEF, WINE = condition("item", "7"), condition("category", "GROCERY > MISC WINE")
CHEAP = condition("price", 3, operator="at_least")


@pytest.mark.parametrize(
    ("told", "english", "chinese"),
    [
        (rule(BEEF), "Everywhere: pin Wrenmead Beef to slot 1", "将 Wrenmead Beef 置顶到第 1 位"),
        (rule(condition("item", "8")), "Everywhere: pin 牛肉 to slot 1", "将牛肉置顶到第 1 位"),
        (
            rule(CHEAP, action="exclude"),
            "Everywhere: exclude items with price at least $3",
            "排除价格至少 $3 的商品",
        ),
        (
            rule(condition("price", 4.5, operator="at_most"), WINE, action="include_only"),
            "Everywhere: include only items with price at most $4.50 and category Other wine",
            "仅包含价格至多 $4.50 且类目为 Other wine 的商品",
        ),
        (
            rule(BEEF, context=[condition("item", "7", "8")]),
            "Everywhere, next to Wrenmead Beef or 牛肉: pin Wrenmead Beef to slot 1",
            "将 Wrenmead Beef 置顶到第 1 位",
        ),
    ],
)
def test_values_are_called_by_their_names(told: dict[str, Any], english: str, chinese: str) -> None:
    assert rule_text(told, titles=TITLES) == english
    with translation.override("zh-hans"):
        assert rule_text(told, titles=TITLES).endswith(chinese)


def test_an_item_in_view_stands_in_a_chinese_sentence_by_its_title() -> None:
    beside = rule(BEEF, context=[condition("item", "7", "8")])
    with translation.override("zh-hans"):
        assert "浏览 Wrenmead Beef 或牛肉时" in rule_text(beside, titles=TITLES)


def test_an_amount_of_an_audience_has_the_sign_of_the_currency() -> None:
    spent = {"kind": "spent", "operator": "at_least", "amount": 100, "days": 30}
    assert audience_text({"all": [spent]}, segments={}, titles={}) == "Spent at least $100 in the last 30 days"
