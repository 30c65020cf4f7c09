"""What a mail says: its words, its products, its links; both parts say the same, and nothing typed acts."""

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
import pytest_django
from django.utils import timezone

from recommendations.push_terms import Purpose
from recommendations.services.parcels.rendering import Reader, letter_of, picture_for_mail
from tests.push_letters import TITLES, form, items, letter, links

LAYOUTS = ("tiles", "list", "single")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.names.add(tag)


def tags_of(html: str) -> set[str]:
    parser = Tags()
    parser.feed(html)
    return parser.names


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_parts_of_a_mail_are_complete_and_small(layout: str, language: str) -> None:
    mail, own = letter(layout, language), links()
    led_to = [own.home, own.unsubscribe, own.preferences, own.reasons, *(own.item(place) for place in range(6))]
    for link in led_to:
        assert link in mail.text
        assert f'"{link}"' in mail.html
    for title in TITLES:
        assert title in mail.text
    assert len(mail.html.encode()) < 60_000
    assert "{" not in mail.subject


def test_names_in_braces_stand_for_what_is_shown_and_nothing_typed_is_markup() -> None:
    mail = letter()
    assert mail.subject == "Green tea, loose: time again?"
    assert "And 5 more for you" in mail.html
    assert "Picked at Recsite.<br>" in mail.html
    assert '&lt;b&gt;Soap&lt;/b&gt; &amp; "brush" {shop}' in mail.html
    assert "b" not in tags_of(mail.html)


@pytest.mark.parametrize(
    ("zone", "day"), [("America/New_York", "Aug. 1, 2026"), ("Asia/Tokyo", "Aug. 2, 2026"), ("", "Aug. 2, 2026")]
)
def test_the_day_of_the_yes_is_that_where_the_reader_lives_as_on_the_page_behind_the_link(
    settings: pytest_django.Settings, zone: str, day: str
) -> None:
    settings.SHOP_TIME_ZONE = "Asia/Shanghai"
    yes = datetime(2026, 8, 1, 20, tzinfo=UTC)
    reader = Reader(language="en", purpose=Purpose.NEWS, said_yes_at=yes, zone=zone)
    with timezone.override("UTC"):
        mail = letter_of(form(), items(), reader=reader, links=links())
    assert f"on {day}." in mail.text


def test_a_title_in_braces_is_not_filled_in_again() -> None:
    reader = Reader(language="en", purpose=Purpose.NEWS, said_yes_at=None)
    mail = letter_of(form(en={"subjects": ["{first_item}"]}), items()[2:3], reader=reader, links=links())
    assert mail.subject == TITLES[2]


def test_a_language_without_text_falls_back_to_the_shops() -> None:
    reader = Reader(language="zh-hans", purpose=Purpose.NEWS, said_yes_at=None)
    mail = letter_of(form(en={"subjects": ["Hello"]}), items(), reader=reader, links=links())
    assert (mail.subject, 'lang="en"' in mail.html) == ("Hello", True)
    assert "Unsubscribe" in mail.html


def test_each_variant_has_its_subject_and_a_test_says_so() -> None:
    assert letter(variant=1).subject == "Running low?"
    assert letter(variant=2).subject == letter().subject
    assert letter(is_test=True).subject.startswith("[Test] ")
    assert "Test: only you get this." in letter(is_test=True).text


def test_the_mark_that_the_law_wants_stands_before_the_subject(settings: pytest_django.Settings) -> None:
    settings.SUBJECT_MARK = "广告"
    assert letter().subject == "广告 Green tea, loose: time again?"


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://pictures.example/a.jpg", True),
        ("https://cdn.shop.example/a.webp", True),
        ("http://pictures.example/a.jpg", False),
        ("https://pictures.example/a.SVG", False),
        ("https://pictures.example.evil.test/a.jpg", False),
        ("https://shop.example/a.jpg", False),
        ("/a.jpg", False),
    ],
)
def test_pictures_of_mails_come_from_allowed_hosts(settings: pytest_django.Settings, url: str, may: bool) -> None:
    settings.PICTURE_HOSTS = ["pictures.example", "https://*.shop.example"]
    assert picture_for_mail(url) == (url if may else "")
    mail = letter(picture=url)
    assert (f'src="{url}"' in mail.html) is may
    assert 'alt="Green tea, loose"' in mail.html  # drawn, as it has none of its own
    assert mail.html.count("/tile.png") == 5


def test_a_product_without_a_picture_that_may_be_shown_has_its_first_letter() -> None:
    assert ">O</td>" in letter(picture="http://elsewhere.example/o.jpg").html
