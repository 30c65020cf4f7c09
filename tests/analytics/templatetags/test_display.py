"""Numbers, money and moments as people of the two languages write them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from django.utils.translation import override

from analytics.templatetags import display
from analytics.templatetags.display import Direction
from recommendations.engine.evaluation.intervals import Measure
from recommendations.models import Item


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1469307, 0, "1,469,307"),
        (0.41964, 3, "0.420"),
        (-1234.5, 1, "−1,234.5"),
        ("7", 0, "7"),
        (None, 0, "–"),
        ("", 2, "–"),
    ],
)
def test_number(language: str, value: float | str | None, decimals: int, text: str) -> None:
    with override(language):
        assert display.number(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.214, "+1.21"), (-0.121, "−0.12"), (0, "0.00"), (-0.004, "0.00"), (0.004, "0.00"), (None, "–")],
)
def test_signed(value: float | None, text: str) -> None:
    assert display.signed(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.4149, "41%"), (0, "0%"), (None, "–")])
def test_share(value: float | None, text: str) -> None:
    assert display.share(value) == text


def test_signed_share() -> None:
    assert [display.signed_share(value) for value in (0.514, -0.04, None)] == ["+51%", "−4%", "–"]


def test_points() -> None:
    assert [display.points(value) for value in (0.27, -0.04, None, "")] == ["+27", "−4", "–", "–"]


@pytest.mark.parametrize(
    ("currency", "text"), [("USD", "$1,234.50"), ("EUR", "€1,234.50"), ("JPY", "¥1,235"), ("SEK", "SEK 1,234.50")]
)
def test_money(settings: LazySettings, currency: str, text: str) -> None:
    settings.SHOP_CURRENCY = currency
    assert display.money(1234.5 if currency != "JPY" else 1234.6) == text
    assert display.money(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0.74, "0.7 s", "0.7 秒"),
        (17, "17 s", "17 秒"),
        (59.7, "1 min 0 s", "1 分 0 秒"),
        (503, "8 min 23 s", "8 分 23 秒"),
        (7260, "2 h 1 min", "2 小时 1 分"),
        (None, "–", "–"),
    ],
)
def test_duration(seconds: float | None, english: str, chinese: str) -> None:
    assert display.duration(seconds) == english
    with override("zh-hans"):
        assert display.duration(timedelta(seconds=seconds) if seconds is not None else None) == chinese


def test_ago() -> None:
    now = timezone.now()
    assert display.ago(now) == "just now"
    assert display.ago(now - timedelta(days=2, hours=5)) == "2\xa0days ago"
    assert display.ago(None) == "–"
    with override("zh-hans"):
        assert display.ago(now - timedelta(days=2)) == "2\xa0天前"
        assert display.ago(now - timedelta(days=70)) == "2\xa0个月前"


def test_moments_in_both_languages() -> None:
    at = datetime(2026, 9, 1, 10, 2, tzinfo=UTC)
    assert display.day(at) == "Sept. 1, 2026"
    assert display.moment(None) == "–"
    assert display.machine_time(at) == "2026-09-01T10:02:00+00:00"
    with override("zh-hans"):
        assert display.moment(at) == "2026年9月1日 10:02"


@pytest.mark.parametrize(
    ("ends", "direction"),
    [
        ((0.2, 0.1, 0.3), Direction.BETTER),
        ((-0.2, -0.3, -0.1), Direction.WORSE),
        ((0.2, 0.0, 0.3), Direction.UNCLEAR),
        ((-0.2, -0.3, 0.0), Direction.UNCLEAR),
    ],
)
def test_a_difference_is_clear_when_its_interval_holds_no_zero(
    ends: tuple[float, float, float], direction: Direction
) -> None:
    measure = Measure(*ends)
    assert display.direction(measure) is display.direction(measure._asdict()) is direction


def test_what_was_not_measured_has_no_direction_and_no_interval() -> None:
    assert display.direction({}) is Direction.UNCLEAR
    assert display.interval({}) == display.share_interval({}) == ""


def test_intervals() -> None:
    measure = Measure(0.414, 0.4049, -0.4251)
    assert display.interval(measure, 3) == display.interval(measure._asdict(), 3) == "0.405 – −0.425"
    assert display.share_interval(measure, 1) == "40.5% – −42.5%"


def test_a_share_of_nothing_is_nothing() -> None:
    assert (display.of(3, 4), display.of(3, 0)) == (0.75, 0.0)


def test_a_key_that_no_template_can_name() -> None:
    assert display.item({"ndcg@10": 1}, "ndcg@10") == 1
    assert (display.item({}, "ndcg@10"), display.item({"a": 1}, "b")) == (None, None)


def test_change_against_nothing_is_unknown() -> None:
    assert display.change(3, 0) is None
    assert display.change(3, 2) == 0.5


def test_an_icon_says_nothing_to_a_screen_reader() -> None:
    drawn = display.icon("users", "small")
    assert 'aria-hidden="true"' in drawn
    assert 'icons.svg#users"' in drawn
    assert 'class="icon small"' in drawn


@pytest.mark.parametrize(
    ("brand", "title", "parts"),
    [
        ("Harvest Lane", "Harvest Lane Bananas, bag", ("Harvest Lane", "Bananas, bag")),
        ("Harvest", "Harvester", ("", "Harvester")),
        ("Lane", "Harvest Lane Bananas", ("", "Harvest Lane Bananas")),
        ("Harvest Lane", "Harvest Lane", ("", "Harvest Lane")),
        ("", "Bananas, bag", ("", "Bananas, bag")),
    ],
)
def test_a_title_is_a_brand_and_a_kind_of_thing(brand: str, title: str, parts: tuple[str, str]) -> None:
    assert display.brand_and_kind(Item(brand=brand, title=title)) == parts
