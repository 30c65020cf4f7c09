"""What a notification says: short, plain, and small enough for every push service whatever the texts are."""

import msgspec
import pytest

from recommendations.channels.sealing import LONGEST
from recommendations.services.parcels.notification import BODY, TITLE, _payload, notification_seen, shorten
from tests.push_letters import TEXTS, form, items


def test_the_subject_is_the_title_and_the_intro_the_body() -> None:
    seen = notification_seen(form(), items(), language="en")
    assert (seen.title, seen.body) == ("Green tea, loose: time again?", "Picked at Recsite. See you soon.")
    assert notification_seen(form(), items(), language="en", variant=1).title == "Running low?"
    seen = notification_seen(form(), items(), language="zh-hans")
    assert (seen.title, seen.body) == ("为您挑选了Green tea, loose", "Recsite为您挑选。")


def test_without_an_intro_the_first_item_says_why_it_is_there() -> None:
    texts = {language: {**own, "intro": ""} for language, own in TEXTS.items()}
    body = notification_seen(form(**texts), items(), language="en").body
    assert body.startswith("Green tea, loose: ")
    assert len(body) > len("Green tea, loose: ")
    nothing = notification_seen(form(**texts), [], language="en")
    assert (nothing.body, nothing.icon) == ("", "")


def test_texts_are_cut_to_what_is_shown() -> None:
    long = {"en": TEXTS["en"] | {"subjects": ["x" * 150], "intro": "字" * 2_000}}
    seen = notification_seen(form(**long), items(), language="en")
    assert (len(seen.title), seen.title[-1], len(seen.body), seen.body[-1]) == (TITLE, "…", BODY, "…")
    assert shorten("a" * TITLE, TITLE) == "a" * TITLE


@pytest.mark.parametrize("hostile", ["a\r\nb", "a\u202eb", "a\x00b", "a\u2028b"])
def test_no_text_turns_a_line_or_its_direction(hostile: str) -> None:
    assert set(shorten(hostile, TITLE)) <= set("ab ")


def test_the_payload_fits_whatever_is_in_it() -> None:
    fields = {
        "id": "message-9223372036854775807", "title": '"' * TITLE, "body": "😀" * BODY,
        "url": "https://x.example/" + "u" * 300,
        "rid": "r" * 64, "icon": "https://x.example/" + "i" * 4_000,
    }  # fmt: skip
    payload = _payload(fields)
    assert len(payload) <= LONGEST
    assert msgspec.json.decode(payload) == fields | {"icon": ""}
    small = fields | {"icon": "https://x.example/i.png"}
    assert msgspec.json.decode(_payload(small)) == small
