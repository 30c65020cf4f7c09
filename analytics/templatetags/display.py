"""Numbers, intervals, money, moments and icons in the reader's language. A value that is not there is a dash."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import numberformat, timezone
from django.utils.formats import date_format, get_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import TIME_STRINGS, timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from recommendations.customer_codes import customer_code
from recommendations.engine.evaluation.intervals import Measure
from recommendations.models import Item
from recommendations.wording.money import currency

register = template.Library()

MISSING = "–"
WITHOUT_CENTS_FROM = 1000
WITHOUT_CENTS = {"JPY", "KRW", "VND", "CLP", "ISK"}
MINUS = "−"
UNITS: dict[str, Any] = {
    **TIME_STRINGS,
    "month": ngettext_lazy("%(num)d month", "%(num)d months", "num"),
    "day": ngettext_lazy("%(num)d day", "%(num)d days", "num"),
}
"""Units of a time that has passed; Django's Chinese of these two are words of the calendar."""

type Number = int | float | str | None
type Interval = Mapping[str, float]
"""``value``, and the ``low`` and ``high`` end of its 95 % interval, as a figure is stored."""


class Direction(StrEnum):
    """Direction of a paired difference: its interval lies above 0, below 0, or holds it."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "unclear"


register.filter("code", customer_code)


@register.filter
def classed(field: BoundField, name: str) -> SafeString:
    """A field of a form, with a class of the stylesheet."""
    return field.as_widget(attrs={"class": name})


@register.filter
def brand_and_kind(item: Item) -> tuple[str, str]:
    """A title in two, so that the kind of thing is not cut where there is little room: the brand that it begins with,
    empty where it begins with none, and the rest.
    """
    brand, after, kind = item.title.partition(f"{item.brand} ")
    return (item.brand, kind) if item.brand and after and not brand and kind else ("", item.title)


@register.filter
def number(value: Number, decimals: int = 0) -> str:
    """Grouped digits, always with as many decimals as asked for."""
    if value is None or value == "":
        return MISSING
    text = numberformat.format(
        f"{float(value):.{decimals}f}",
        get_format("DECIMAL_SEPARATOR"),
        decimals,
        grouping=3,
        thousand_sep=get_format("THOUSAND_SEPARATOR") or ",",  # Django's Chinese has none; shops there write one
        force_grouping=True,
    )
    return text.replace("-", MINUS)


@register.filter
def quantity(value: Number) -> str:
    """A quantity with as many decimals as it has: 2, or 0.75."""
    if value is None or value == "":
        return MISSING
    _whole, _point, rest = f"{float(value):.3f}".rstrip("0").partition(".")
    return number(value, len(rest))


@register.filter
def signed(value: Number, decimals: int = 2) -> str:
    """A number with its sign, so that a column of effects can be read at a glance; what is rounded to 0 has none."""
    text = number(value, decimals)
    if not any(digit in text for digit in "123456789"):
        return text.lstrip(MINUS)
    return text if text[0] == MINUS else f"+{text}"


@register.filter
def share(value: Number, decimals: int = 0) -> str:
    """A share as a percentage: 0.41 as 41%."""
    return MISSING if value is None or value == "" else number(float(value) * 100, decimals) + "%"


@register.filter
def signed_share(value: Number, decimals: int = 0) -> str:
    """A share as a percentage with its sign: −0.04 as −4%."""
    return MISSING if value is None or value == "" else signed(float(value) * 100, decimals) + "%"


@register.filter
def points(value: Number, decimals: int = 0) -> str:
    """A difference of two shares, 0.27 as +27: in points, as a percentage would be one of something."""
    return MISSING if value is None or value == "" else signed(float(value) * 100, decimals)


@register.filter
def direction(difference: Measure | Interval | None) -> Direction:
    """Direction of a difference by its 95 % interval; unclear where nothing was measured."""
    ends = _ends(difference)
    if ends and ends[0] > 0:
        return Direction.BETTER
    return Direction.WORSE if ends and ends[1] < 0 else Direction.UNCLEAR


@register.filter
def interval(measure: Measure | Interval, decimals: int = 0) -> str:
    """Both ends of an interval: 0.41 – 0.43."""
    return " – ".join(number(end, decimals) for end in _ends(measure))


@register.filter
def share_interval(measure: Measure | Interval, decimals: int = 0) -> str:
    """Both ends of an interval as percentages: 41% – 43%."""
    return " – ".join(share(end, decimals) for end in _ends(measure))


@register.filter
def margin(measure: Measure) -> float:
    """Half of an interval."""
    return (measure.high - measure.low) / 2


@register.filter
def of(part: float, whole: float) -> float:
    """The share that a part is of the whole; 0 of nothing."""
    return part / whole if whole else 0.0


@register.filter
def absolute(value: float) -> float:
    return abs(value)


@register.filter
def item(values: Mapping[Any, Any], key: Any) -> Any:
    """The value of a key that a template cannot name; None where there is none."""
    return values.get(key) if values else None


@register.simple_tag
def change(now: float, before: float) -> float | None:
    """Share by which a count changed; None where there was nothing before."""
    return now / before - 1 if before else None


@register.filter
def money(value: Number) -> str:
    """An amount in the shop's currency."""
    if value is None or value == "":
        return MISSING
    return currency() + number(value, 0 if settings.SHOP_CURRENCY in WITHOUT_CENTS else 2)


@register.filter
def small_money(value: float) -> str:
    """An amount; below one cent to a tenth of it, as one message is often worth less."""
    smallest = 1 if settings.SHOP_CURRENCY in WITHOUT_CENTS else 0.01
    is_small = 0.0005 <= abs(value) < smallest
    text = currency() + number(abs(value), 3) if is_small else money(abs(value))
    return ("−" if value < 0 and any(digit in text for digit in "123456789") else "") + text


@register.filter
def round_money(value: Number) -> str:
    """An amount without cents, where the next digit would only be noise: from a thousand on."""
    if value is None or value == "" or abs(float(value)) < WITHOUT_CENTS_FROM:
        return money(value)
    return currency() + number(value)


@register.filter
def duration(value: timedelta | float | None) -> str:
    """A span of time in its two largest units."""
    if value is None:
        return MISSING
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return _("%(seconds)s s") % {"seconds": number(seconds, 1)}
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": number(hours), "minutes": minutes_left}
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}


@register.filter
def day(value: datetime | None) -> str:
    return date_format(_local(value), "DATE_FORMAT") if value else MISSING


@register.filter
def moment(value: datetime | None) -> str:
    return date_format(_local(value), "DATETIME_FORMAT") if value else MISSING


@register.filter
def one_stop(text: str) -> str:
    """A sentence that ends in one full stop, though a moment may stand last in it, as 4:31 a.m. does."""
    return text.removesuffix(".") if text.endswith("..") else text


@register.filter
def ago(value: datetime | None) -> str:
    """How long ago, in the largest unit."""
    if value is None:
        return MISSING
    if timezone.now() - value < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(value, depth=1, time_strings=UNITS)}


@register.filter
def machine_time(value: datetime | None) -> str:
    """A moment for the ``datetime`` attribute of a ``time`` element."""
    return _local(value).isoformat() if value else ""


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A drawing of the sprite; it says nothing to a screen reader, so words stand beside it."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        extra,
        static("img/icons.svg"),
        name,
    )


def _local(value: datetime) -> datetime:
    return timezone.localtime(value)


def _ends(measure: Measure | Interval | None) -> tuple[float, ...]:
    """The low and the high end; nothing of what was not measured."""
    if not measure:
        return ()
    return (measure["low"], measure["high"]) if isinstance(measure, Mapping) else (measure.low, measure.high)
