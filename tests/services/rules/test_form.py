"""The form of a rule keeps what is written, and refuses what no rule may have, with the remedy."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from recommendations.models import AuditEntry, Customer, Placement, Rule, Segment, Staff
from recommendations.services.rules.editing import save_rule
from recommendations.store.rules.conditions import frozen
from tests.services.rules.conftest import NOW, TEA, saved

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("teas_and_bread")]


def test_a_rule_is_saved_as_it_was_written(boss: Staff) -> None:
    customer = Customer.objects.create(pseudonym=b"c" * 32)
    values = {
        "name": "  Tea for families ", "action": "boost", "strength": "40", "items": TEA, "placement": "home",
        "segment": "4", "customer": customer.code, "context": [], "starts_at": "2026-07-02 08:00", "ends_at": "",
        "slot": "3",
    }  # fmt: skip
    rule = save_rule(rule=None, values=values, revision=None, by=boss, now=NOW)
    rule.refresh_from_db()
    assert (rule.name, rule.strength, rule.author, rule.revision, rule.position) == ("Tea for families", 40, boss, 1, 1)
    assert (rule.placement, rule.segment, rule.customer) == (
        Placement.objects.get(name="home"), Segment.objects.get(number=4), customer
    )  # fmt: skip
    assert rule.slot is None  # a boost has none
    assert rule.starts_at == datetime(2026, 7, 2, 8, tzinfo=UTC)
    entry = AuditEntry.objects.get(object_type="rule")
    assert (entry.verb, entry.staff, entry.before, entry.after) == ("create", boss, None, dict(frozen(rule)))
    assert saved().position == 2


def test_a_time_without_a_zone_is_one_of_the_shop(settings: Any) -> None:
    settings.TIME_ZONE = settings.SHOP_TIME_ZONE = "Asia/Shanghai"
    with translation.override("en"):
        rule = saved(starts_at="2026-07-02T08:00", ends_at="2026-07-02T08:00+00:00")
    assert rule.starts_at == datetime(2026, 7, 2, 0, tzinfo=UTC)
    assert rule.ends_at == datetime(2026, 7, 2, 8, tzinfo=UTC)


def problem(**values: Any) -> tuple[str, str]:
    """Field and words of the only complaint; nothing is saved."""
    with pytest.raises(ValidationError) as wrong:
        saved(**values)
    assert Rule.objects.count() == 0
    ((field, texts),) = wrong.value.message_dict.items()
    return field, " ".join(texts)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": " "}, "name", "Give the rule a name."),
        ({"name": "x" * 121}, "name", "At most 120 characters."),
        ({"name": "x\0"}, "name", "The name contains a character that cannot be stored."),
        ({"action": "shout"}, "action", "Choose what the rule does."),
        ({"placement": "shelf"}, "placement", "There is no placement “shelf”: choose one from the list."),
        ({"segment": 77}, "segment", "There is no segment 77: choose one from the list."),
        ({"segment": "many"}, "segment", "There is no segment many: choose one from the list."),
        (
            {"customer": "12x"},
            "customer",
            "No customer has the code or the shop's id “12x”: type it as C-7K4F, or as your shop writes it.",
        ),
        ({"slot": None}, "slot", "Choose the slot."),
        ({"slot": "first"}, "slot", "Enter a whole number."),
        ({"slot": 0}, "slot", "This slot is beyond the end of the list: choose a slot from 1 to 20."),
        ({"slot": 21}, "slot", "This slot is beyond the end of the list: choose a slot from 1 to 20."),
        ({"items": []}, "items", "Say which items: without a condition it would be all of them."),
        ({"starts_at": "2026-07-02", "ends_at": "2026-07-01"}, "ends_at", "The rule ends before it begins"),
        ({"starts_at": "2026-07-02 08:00", "ends_at": "2026-07-02 08:00"}, "ends_at", "The rule ends before it begins"),
        ({"starts_at": "soon"}, "starts_at", "Not a date and time: write it like 2026-12-24 18:00."),
        ({"starts_at": "2026-02-30 08:00"}, "starts_at", "Not a date and time"),
        ({"ends_at": "0001-01-01 00:00"}, "ends_at", "Not a date and time"),
        ({"action": "boost"}, "strength", "Choose a strength from −100 to 100."),
        ({"action": "boost", "strength": 101}, "strength", "Choose a strength from −100 to 100."),
        ({"action": "boost", "strength": "-101"}, "strength", "Choose a strength from −100 to 100."),
        ({"action": "boost", "strength": 0}, "strength", "0 changes nothing"),
        ({"action": "cap", "per": "brand"}, "most", "Say how many at most."),
        ({"action": "cap", "per": "brand", "most": 0}, "most", "At least 1: to show none of them, exclude them."),
        ({"action": "cap", "per": "all", "most": 101}, "most", "At most 100: no list is longer."),
        ({"action": "cap", "per": "shop", "most": 3}, "per", "Choose what to count by"),
        ({"action": "minimum_share"}, "share", "Choose a share above 0 % and up to 100 %."),
        ({"action": "minimum_share", "share": 0}, "share", "Choose a share above 0 % and up to 100 %."),
        ({"action": "minimum_share", "share": 1.01}, "share", "Choose a share above 0 % and up to 100 %."),
        ({"action": "minimum_share", "share": "nan"}, "share", "Choose a share above 0 % and up to 100 %."),
        ({"action": "minimum_share", "share": "half"}, "share", "Enter a number."),
    ],
)
def test_an_invalid_value_is_refused_with_the_remedy(values: dict[str, Any], field: str, words: str) -> None:
    place, text = problem(**values)
    assert place == field
    assert text.startswith(words)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"attribute": "colour", "operator": "is", "values": ["red"]}, "items have no such attribute"),
        ({"attribute": "attributes.colour", "operator": "is", "values": ["red"]}, "items have no such attribute"),
        ({"attribute": "brand", "operator": "at_least", "values": ["Brand 1"]}, "this attribute cannot be compared"),
        ({"attribute": "brand", "operator": "is", "values": []}, "it has no value: choose at least one."),
        ({"attribute": "brand", "operator": "is", "values": "Brand 1"}, "it has no value"),
        ({"attribute": "brand", "operator": "is", "values": ["Brand 9"]}, "no item has this value"),
        ({"attribute": "brand", "operator": "is", "values": ["\0"]}, "no item has this value"),
        ({"attribute": "category", "operator": "is", "values": ["DRINKS"]}, "no item has this value"),
        ({"attribute": "price", "operator": "at_least", "values": ["dear"]}, "the value is not a number"),
        ({"attribute": "price", "operator": "at_least", "values": ["1e30"]}, "the value is out of range"),
        ({"attribute": "promoted", "operator": "is", "values": ["perhaps"]}, "choose yes or no."),
        ("brand", "it has no value"),
    ],
)
@pytest.mark.parametrize("field", ["items", "context"])
def test_an_invalid_condition_is_refused_by_its_number(field: str, condition: Any, words: str) -> None:
    place, text = problem(**{field: [*TEA, condition]})
    assert place == field
    assert text.startswith(f"Condition 2: {words}")


def test_a_pin_may_go_as_far_as_the_slate_of_its_placement() -> None:
    Placement.objects.filter(name="home").update(n=6)
    assert problem(slot=7)[1].endswith("from 1 to 6.")
    assert saved(slot=7, placement="discover").slot == 7
    assert saved(slot=20, placement=None).slot == 20  # on the longest of them


def test_words_of_a_complaint_are_in_the_language_of_the_reader() -> None:
    with translation.override("zh-hans"):
        assert problem(name="")[1] == "请为规则取一个名称。"


def test_a_cap_of_each_brand_may_speak_of_all_items() -> None:
    assert saved(action="cap", items=[], per="brand", most=2).items == []
    with pytest.raises(ValidationError):
        saved(action="cap", items=[], per="all", most=2)


def test_a_field_that_rules_do_not_have_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="colour"):
        saved(colour="red")
