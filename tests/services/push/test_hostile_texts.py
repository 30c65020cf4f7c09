"""500 texts that would act if anything let them: refused where they are typed, or carried as they are. None acts."""

import copy
import re
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import LazySettings

from recommendations.channels.protocol import Parcel, Taken
from recommendations.ingest.refusal import Refusal
from recommendations.push_terms import Purpose
from recommendations.services.campaigns.form import UnfinishedError, frozen_of
from recommendations.services.mails.letters import Letter, bytes_of, shop_envelope
from recommendations.services.parcels.rendering import Reader, letter_of
from recommendations.serving.types import Shown, ShownReason
from recommendations.terms import Reason
from tests.channels.esp_server import mail_service
from tests.channels.test_esp import line_to
from tests.hostile_texts import hostile_texts
from tests.push_letters import form, items, links
from tests.services.campaigns.test_form import draft, what

TEXTS = hostile_texts()
FIELDS = ("preheader", "heading", "intro", "button")
NAMES = re.compile(r"\{(shop|first_item|count)\}")
LONGEST_LINE = 998  # bytes (RFC 5322)
READER = Reader(language="en", purpose=Purpose.NEWS, said_yes_at=None)
OWN_HEADERS = {
    "List-Unsubscribe": "<https://recsite.example.com/m/u/1/>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Id": "<news.shop.example>",
}  # fmt: skip
HEADERS = [
    "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", *OWN_HEADERS, "MIME-Version", "Content-Type",
]  # fmt: skip


class Page(HTMLParser):
    """What a mail shows and of which tags it is."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.texts = Counter[tuple[str, tuple[str, ...]]](), list[str]()
        self.feed(html)
        self.text = plain("".join(self.texts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "br":  # lines of what is typed
            self.tags[tag, tuple(name for name, _ in attrs)] += 1
        self.texts += [value or "" for name, value in attrs if name == "alt"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(autouse=True)
def _shop(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "hello@shop.example", "1 Market Square"


def plain(text: str) -> str:
    """A text by what is seen of it: no blanks, no controls, nothing invisible."""
    return "".join(each for each in text if unicodedata.category(each) not in {"Cc", "Cf", "Zs", "Zl", "Zp", "Cn"})


def refusals(name: str, text: str) -> list[Refusal]:
    """What the form has against a text in one of its fields."""
    own: dict[str, Any] = {"subjects": ["For you"]} | {name: [text] if name == "subjects" else text}
    try:
        frozen_of(draft(what=what(texts={"en": own})), recurring=False, triggered=False)
    except UnfinishedError as error:
        return error.refusals
    return []


def refused(text: str) -> dict[str, bool]:
    """Whether the form refuses a text, by where it is typed; each refusal names the place and a reason."""
    outcome = {}
    for name in ("subjects", *FIELDS):
        against = refusals(name, text)
        pointer = f"/what/texts/en/{name}" + ("/0" if name == "subjects" else "")
        assert {refusal.pointer for refusal in against} <= {pointer}
        assert all(refusal.reason for refusal in against)
        outcome[name] = bool(against)
    return outcome


def acts(text: str) -> bool:
    """Whether a text has braces that stand for nothing, ends a line, or turns what follows."""
    return bool(
        re.search(r"[{}]", NAMES.sub("", text))
        or any(each in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" for each in text)
        or any(unicodedata.category(each) == "Cc" and each not in "\t\n" for each in text)
    )


def shown(text: str) -> list[Shown]:
    """Products with the text as title and in the reason."""
    first, second, *rest = items()
    because = ShownReason(code=Reason.BECAUSE_YOU_BOUGHT, evidence={"title": text})
    own = copy.replace(first, product=copy.replace(first.product, title=text), reasons=(because,))
    return [own, copy.replace(second, reasons=(because,)), *rest]


def mail_of(letter: Letter) -> tuple[bytes, EmailMessage]:
    envelope = shop_envelope("1", to="ann@example.com", date=datetime(2026, 9, 1, tzinfo=UTC), headers=OWN_HEADERS)
    content = bytes_of(letter, envelope)
    return content, message_from_bytes(content, _class=EmailMessage, policy=default)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def letter(text: str, layout: str, *, typed: bool) -> Letter:
    """A letter with the text from the catalogue, and where it is ``typed`` and taken in every field of the form."""
    texts: dict[str, Any] = {"subjects": ["{first_item}: time again?"], "heading": "{first_item}", "intro": "{shop}"}
    if typed:
        taken = [name for name, is_refused in refused(text).items() if not is_refused]
        texts |= {name: [text] if name == "subjects" else text for name in taken}
    return letter_of(form(layout, en=texts), shown(text), reader=READER, links=links())


def test_the_form_refuses_what_would_act_at_its_place_and_nothing_else() -> None:
    longest = {"subjects": 150, "preheader": 150, "heading": 150, "intro": 2_000, "button": 60}
    number = Counter[bool]()
    for text in TEXTS:
        for name, is_refused in refused(text).items():
            lines = name != "intro" and "\n" in text
            blank = name == "subjects" and not text.strip()
            assert is_refused is (acts(text) or lines or blank or len(text) > longest[name]), (name, text)
            number[is_refused] += 1
    assert min(number.values()) > 500


@pytest.mark.parametrize("place", range(3))
def test_no_text_is_evaluated_ends_a_header_or_becomes_markup(place: int, settings: LazySettings) -> None:
    layout = ("tiles", "list", "single")[place]
    tags = {typed: Page(letter("Tea", layout, typed=typed).html).tags for typed in (True, False)}
    for number, text in enumerate(TEXTS[place::3]):
        settings.SHOP_NAME, typed = text, number % 2 == 0
        own = letter(text, layout, typed=typed)
        content, mail = mail_of(own)
        assert list(mail.keys()) == HEADERS, text
        assert max(map(len, content.split(b"\r\n"))) <= LONGEST_LINE
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
        [sender] = mail["From"].addresses
        assert (mail["To"], sender.addr_spec) == ("ann@example.com", "hello@shop.example")
        wanted, name, page = plain(text), plain(sender.display_name), Page(part(mail, "html"))
        assert wanted.startswith(name)
        assert bool(name) is bool(wanted)
        assert wanted in plain(str(mail["Subject"])) == plain(own.subject)
        assert wanted in plain(part(mail, "plain"))
        # In the parts alone: ids and boundaries are numbers at random.
        assert "15521" not in f"{own.subject}{part(mail, 'plain')}{part(mail, 'html')}"
        assert page.text.count(wanted) >= 6
        assert page.tags in tags.values()
        for header in (str(mail["Subject"]), str(mail["From"])):
            categories = {unicodedata.category(each) for each in header if each not in "\u200b\u200d"}
            assert categories.isdisjoint({"Cc", "Cf", "Zl", "Zp"}), text


def test_a_service_gets_the_subject_as_one_line(settings: LazySettings) -> None:
    settings.SHOP_NAME = "Corner"
    with mail_service() as service:
        line = line_to(service.port)
        for text in TEXTS[::10]:
            content, _ = mail_of(letter(text, "single", typed=False))
            address = {"email": "ann@example.com"}
            parcel = Parcel(message=7, idempotency_key="message-7", address=address, content=content)
            assert line.hand_over(parcel) == Taken("id-1"), text
            sent = service.got[-1]
            assert plain(sent["Subject"]) == plain(f"{text}: time again?")
            assert "\n" not in sent["Subject"]
            assert {each["Name"] for each in sent["Headers"]} == {"Auto-Submitted", *OWN_HEADERS}
        line.close()
