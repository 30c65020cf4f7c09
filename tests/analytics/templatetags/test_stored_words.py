"""What a worker stored is said again in the reader's language; what is not ours stays as it is."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils.translation import override
from msgspec import DecodeError

from analytics.templatetags.stored_words import FORMS, in_own_words
from recommendations.api.parsing import malformed
from recommendations.ingest.event_schema import EventForm, decode_row, parse_body
from recommendations.ingest.event_validation import refusal_of
from recommendations.ingest.facts import Sender, limit
from recommendations.ingest.refusal import Refusal, UnreadableError
from recommendations.store.imports.reasons import REASONS
from recommendations.terms import Side

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "event_id": "e", "name": "view_item", "timestamp": "2026-09-01T11:00:00Z", "user_id": "u",
    "items": [{"item_id": "A"}],
}  # fmt: skip


def test_every_reason_and_every_sentence_is_said_in_chinese() -> None:
    with override("en"):
        stored = [str(reason) for reason in REASONS.values()]
        stored += [form.replace("%(most)d", "20").replace("%(", "“").replace(")s", "”") for form in FORMS]
    with override("zh-hans"):
        for text in stored:
            assert in_own_words(text) != text
            assert "%(" not in in_own_words(text)
        assert "星期一" in in_own_words("The shop's promotion weeks start on a Monday; enter the date of that day.")
    with override("en"):
        assert [in_own_words(text) for text in stored] == stored


@pytest.mark.parametrize("text", ["", "no space left on device", "Columns", "%(file)s", "a.csv: 100% {odd} %(x)s"])
def test_what_is_not_ours_stays(text: str) -> None:
    with override("zh-hans"):
        assert in_own_words(text) == text


@pytest.mark.parametrize(
    "event",
    [
        {"user_id": None, "items": [{"item_id": None}]},
        {"user_id": {}},
        {"user_id": "x" * 200},
        {"user_id": ""},
        {"items": [{"item_id": "A", "quantity": 0}]},
        {"items": [{"item_id": "A", "quantity": 10**9}]},
        {"items": [{"item_id": "A", "quantity": "many"}]},
        {"items": [{"item_id": "A", "price": []}]},
        {"items": [{"item_id": "A", "price": "cheap"}]},
        {"items": [{"item_id": "A", "price": -1}]},
        {"items": [{"item_id": "A", "price": 9_999_999_999, "quantity": 1_000}]},
        {"items": [{"item_id": "A"}] * 201},
        {"items": {}},
        {"items": []},
        {"timestamp": "yesterday"},
        {"timestamp": True},
        {"timestamp": "2026-09-01T11:00:00"},
        {"timestamp": "2026-09-02T11:00:00Z"},
        {"timestamp": "2020-09-02T11:00:00Z"},
        {"timestamp": None},
        {"event_id": []},
        {"event_id": None},
        {"name": None},
        {"name": "follow", "target_type": "planet", "target_id": "p"},
        {"name": "purchase"},
        {"name": "rate_item", "rating": 2, "rating_scale": 1},
        {"currency": "EUR"},
        {"user_id": "a\x00"},
        {"user_id": None, "anonymous_id": None},
        {"consent": {"personalization": False}},
        {"proof": "1.1"},
        {"proof": "x", "anonymous_id": "a"},
        {"name": "refund", "transaction_id": "t", "user_id": None},
        {"timestamp": "2026-08-20T11:00:00Z", "user_id": None, "anonymous_id": "a"},
    ],
)
@pytest.mark.django_db
def test_what_is_wrong_with_an_event_is_said_in_chinese(event: dict[str, Any]) -> None:
    with override("en"):
        row, _sent = decode_row(json.dumps({**EVENT, **event}).encode())
        flaw = row if isinstance(row, Refusal) else None
        if isinstance(row, EventForm):
            flaw = refusal_of(row, now=NOW)
            if flaw is None:
                limited = limit(row, Sender(side=Side.PAGE), now=NOW)
                flaw = limited if isinstance(limited, Refusal) else limited.ignored[0]
        assert flaw
    check_chinese(flaw.reason)


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"events": null}', b'{"events": []}', b'{"type": "track", "userId": 1}']
)
def test_what_is_wrong_with_a_body_is_said_in_chinese(body: bytes) -> None:
    with override("en"), pytest.raises(UnreadableError) as refused:
        parse_body(body)
    check_chinese(refused.value.refusal.reason)


@pytest.mark.parametrize("body", [b"{", b"{]", b"\xff"])
def test_what_is_no_json_is_said_in_chinese(body: bytes) -> None:
    with override("en"), pytest.raises((DecodeError, UnicodeDecodeError)) as refused:
        parse_body(body)
    with override("en"):
        reason = malformed(body, refused.value).flaws[0].message
    check_chinese(reason)


def check_chinese(text: str) -> None:
    with override("en"):
        assert in_own_words(text) == text
    with override("zh-hans"):
        words = in_own_words(text)
    assert re.search("[\u4e00-\u9fff]", words), text
    assert not re.search(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", words), words
