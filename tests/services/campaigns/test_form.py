"""The form of a campaign: refused at its place, and texts that are no templates."""

from datetime import time
from typing import Any

import pytest
from django.utils import translation

from recommendations.push_terms import Channel
from recommendations.services.campaigns.form import CampaignForm, UnfinishedError, as_json, frozen_of, texts_for

TEXTS = {"subjects": ["For you this week"], "heading": "Hello from {shop}", "intro": "Two lines\nof text"}


def draft(**parts: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "who": {}, "when": {}, "safety": {},
        "what": {"texts": {"en": TEXTS}, "blocks": [{"placement": "home", "n": 6}]},
    }  # fmt: skip
    return whole | parts


def what(**fields: Any) -> dict[str, Any]:
    return {"texts": {"en": TEXTS}, "blocks": [{"placement": "home", "n": 6}], **fields}


def frozen(given: dict[str, Any], *, recurring: bool = False, triggered: bool = False) -> CampaignForm:
    return frozen_of(given, recurring=recurring, triggered=triggered)


def refused(given: dict[str, Any], **kind: bool) -> list[str]:
    with pytest.raises(UnfinishedError) as error:
        frozen(given, **kind)
    assert all(refusal.reason for refusal in error.value.refusals)
    return [refusal.pointer for refusal in error.value.refusals]


def test_a_whole_draft_is_frozen_and_stays_the_same_through_json() -> None:
    form = frozen(draft(when={"hour": "18:00:00", "clock": "shop"}))
    assert (form.when.hour, form.channels, form.what.least_items) == (time(18), [Channel.EMAIL], 3)
    assert frozen(as_json(form)) == form


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (draft(channels=[]), "/channels"),
        (draft(channels=["pigeon"]), "/channels/0"),
        (draft(what=what(blocks=[])), "/what/blocks"),
        (draft(what=what(blocks=[{"placement": "home", "n": 13}])), "/what/blocks/0/n"),
        (draft(what=what(texts={})), "/what/texts/en"),
        (draft(what=what(texts={"en": TEXTS, "xx": TEXTS})), "/what/texts/xx"),
        (draft(what=what(texts={"en": TEXTS | {"subjects": []}})), "/what/texts/en/subjects"),
        (draft(what=what(texts={"en": TEXTS | {"subjects": [" "]}})), "/what/texts/en/subjects/0"),
        (draft(what=what(texts={"en": TEXTS | {"subjects": ["x" * 151]}})), "/what/texts/en/subjects/0"),
        (draft(what=what(texts={"en": TEXTS | {"subjects": ["a\r\nBcc: b@example"]}})), "/what/texts/en/subjects/0"),
        (draft(what=what(texts={"en": TEXTS | {"heading": "two\nlines"}})), "/what/texts/en/heading"),
        (draft(what=what(texts={"en": TEXTS | {"intro": "x" * 2_001}})), "/what/texts/en/intro"),
        (draft(what=what(least_items=7)), "/what/least_items"),
        (draft(what=what(blocks=[{"placement": "home", "context": "trigger"}])), "/what/blocks/0/context"),
        (draft(what=what(layout="mosaic")), "/what/layout"),
        (draft(when={"expires_hours": 3}), "/when/expires_hours"),
        (draft(when={"starts_at": "2026-11-01T10:00:00"}), "/when/starts_at"),
        (draft(when={"starts_at": "2026-11-02T10:00:00Z", "ends_at": "2026-11-01T10:00:00Z"}), "/when/ends_at"),
        (draft(safety={"holdout": 0.6}), "/safety/holdout"),
        (draft(safety={"goal": {"kind": "categories"}}), "/safety/goal/categories"),
        (draft(who={"any_of": [0]}), "/who/any_of/0"),
        (draft(surprise={}), "/surprise"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_refused_at_its_place(given: dict[str, Any], pointer: str) -> None:
    assert refused(given) == [pointer]


def test_all_that_is_wrong_is_said_at_once_also_what_is_not_of_its_shape() -> None:
    wrong = what(
        texts={"en": TEXTS | {"subjects": ["{x}"], "button": "x" * 61}}, least_items=0,
        blocks=[{"placement": "home", "n": 13}, {"placement": "", "n": "many"}],
    )  # fmt: skip
    given = draft(what=wrong, when={"hour": "25:99:00", "expires_hours": ""}, safety={"holdout": 0.8})
    assert refused(given, recurring=True) == [
        "/what/texts/en/button", "/what/blocks/0/n", "/what/blocks/1/placement", "/what/blocks/1/n",
        "/what/least_items", "/when/hour", "/when/expires_hours", "/safety/holdout", "/what/texts/en/subjects/0",
        "/when/weekdays",
    ]  # fmt: skip
    assert refused({"what": {}}) == ["/what/blocks", "/what/texts/en"]


@pytest.mark.parametrize(
    ("given", "english", "chinese"),
    [
        (draft(what=what(blocks=[{"placement": "home", "n": 0}])), "Choose 1 to 12 items.", "请选择 1 到 12 件商品。"),
        (draft(what=what(least_items=13)), "Choose 1 to 12 items.", "请选择 1 到 12 件商品。"),
        (draft(when={"expires_hours": "soon"}), "Write 24 to 336 hours.", "请填写 24 到 336 小时。"),
        (draft(when={"hour": "25:99:00"}), "Choose an hour and a minute.", "请选择时和分。"),
        (draft(safety={"holdout": 0.6}), "Write 0 to 50 per cent.", "请填写 0% 到 50%。"),
        (draft(safety={"goal": {"days": 29}}), "Write 1 to 28 days.", "请填写 1 到 28 天。"),
        (draft(what=what(layout="")), "Choose one of those that are offered.", "请从所列选项中选择一项。"),
        (draft(what=what(blocks=[])), "Choose at least one list.", "请至少选择一个列表。"),
        (
            draft(what=what(texts={"en": TEXTS | {"button": "x" * 61}})),
            "Write at most 60 characters; these are 61.", "最多 60 个字符\uff0c现有 61 个。",
        ),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_as_a_person_would(given: dict[str, Any], english: str, chinese: str) -> None:
    for language, words in (("en", english), ("zh-hans", chinese)):
        with translation.override(language), pytest.raises(UnfinishedError) as error:
            frozen(given)
        assert [refusal.reason for refusal in error.value.refusals] == [words]


def test_texts_and_days_are_refused_together() -> None:
    given = draft(what=what(texts={"en": TEXTS | {"subjects": ["{x}"], "button": "{y}"}}), when={})
    assert refused(given, recurring=True) == [
        "/what/texts/en/subjects/0", "/what/texts/en/button", "/when/weekdays", "/when/hour",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "{{ 7 * 7 }}", "{% load i18n %}", "{shop.__class__}", "{shop!r}", "{0}", "{", "}", "{}", "{ shop }", "{SHOP}",
        "{shop}{", "${shop}{{shop}}", "{first_item[0]}", "{count:>9999}", "\u202egnihtemos", "a\u2028b", "a\x00b",
        "a\u2066b",
    ],
)  # fmt: skip
def test_what_looks_like_a_template_or_turns_the_text_is_refused(text: str) -> None:
    assert refused(draft(what=what(texts={"en": TEXTS | {"heading": text}}))) != []


@pytest.mark.parametrize(
    "text", ["{shop}", "{first_item}: time again?", "And {count} more", "50 % off", "👨‍👩‍👧 for you"]
)
def test_names_that_stand_for_something_and_plain_text_are_taken(text: str) -> None:
    assert frozen(draft(what=what(texts={"en": TEXTS | {"heading": text}})))


def test_a_language_without_texts_falls_back_to_the_shops() -> None:
    form = frozen(draft())
    assert texts_for(form.what, "zh-hans")[0] == "en"


def test_parts_that_a_draft_does_not_have_are_as_they_begin() -> None:
    assert frozen({"what": what()}) == frozen(draft())
