"""The form of a campaign: refused at its place, and texts that are no templates."""

import re
from datetime import time
from typing import Any

import pytest
from django.utils.translation import override

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
        (draft(what={}), "/what/blocks"),
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


def test_a_refusal_is_in_the_readers_language_and_in_no_librarys_words() -> None:
    wrong = draft(what=what(layout="round", blocks=[{"placement": 7}]), when={"weekdays": "x"})
    with override("zh-hans"), pytest.raises(UnfinishedError) as error:
        frozen_of(wrong, recurring=False, triggered=False)
    reasons = [each.reason for each in error.value.refusals]
    assert len(reasons) == 2
    for reason in reasons:
        assert re.search(r"[\u4e00-\u9fff]", reason)
        assert "Expected" not in reason
        assert "Invalid" not in reason


def test_all_that_is_wrong_is_said_at_once() -> None:
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
