"""Values as feeds write them, in our spelling; what cannot be understood stays as it is, so that it is refused."""

import re
from datetime import datetime
from html.parser import HTMLParser
from typing import NamedTuple

from recommendations.terms import Availability

LONGEST_MONEY = 40
ADVERTISING = r"(^|[?&])(utm_\w+|gclid|srsltid)(=|&|#|$)"
"""A word in an address that says which advertisement led to it."""
_AMOUNT = r"-?\d[\d.,\u00a0\u202f' ]*"
_MONEY = re.compile(rf"(?P<amount>{_AMOUNT})\s*(?P<after>[A-Z]{{3}})|(?P<before>[A-Z]{{3}})\s*(?P<other>{_AMOUNT})")
_SPACES = re.compile(r"[\u00a0\u202f' ]")
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+\.\d{1,2}")
_EUROPEAN = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+),\d{1,2}")
_ADVERTISING = re.compile(ADVERTISING, re.IGNORECASE)
_PLAIN = re.compile(r"-?\d+(\.\d+)?")

AVAILABILITIES = {
    **{str(known): str(known) for known in Availability},
    "instock": "in_stock", "available": "in_stock", "limited_availability": "in_stock", "true": "in_stock",
    "outofstock": "out_of_stock", "sold_out": "out_of_stock", "soldout": "out_of_stock",
    "discontinued": "out_of_stock", "false": "out_of_stock",
    "pre_order": "preorder", "presale": "preorder", "back_order": "backorder", "onbackorder": "backorder",
}  # fmt: skip


class Money(NamedTuple):
    amount: str
    currency: str | None


def money(text: str) -> Money:
    """``39.99 USD``, ``USD 39.99`` and ``39,99 EUR``; an amount without a currency is left as it is.

    Where it is not plain which comma or point stands before the cents the text stays whole, to be refused.
    """
    match = _MONEY.fullmatch(text) if len(text) <= LONGEST_MONEY else None
    if match is None:
        return Money(text, None)
    number = _SPACES.sub("", match["amount"] or match["other"])
    currency = match["after"] or match["before"]
    if _PLAIN.fullmatch(number):
        return Money(number, currency)
    if _THOUSANDS.fullmatch(number):
        return Money(number.replace(",", ""), currency)
    if _EUROPEAN.fullmatch(number):
        return Money(number.replace(".", "").replace(",", "."), currency)
    return Money(text, currency)


def availability(text: str) -> str:
    """``in stock``, ``Out-of-stock`` or ``https://schema.org/InStock`` in our words."""
    word = text.rpartition("/")[2].lower().replace(" ", "_").replace("-", "_")
    return AVAILABILITIES.get(word, text)


def sale_goes_on(dates: str, *, now: datetime) -> bool:
    """Whether ``2026-11-01T00:00-0800/2026-11-30T23:59-0800`` holds the moment; dates that are none hold every one."""
    first, slash, last = dates.partition("/")
    try:
        begins, ends = (datetime.fromisoformat(text.strip()) for text in (first, last))
    except ValueError:
        return True
    if begins.tzinfo is None or ends.tzinfo is None:
        begins, ends = (each.replace(tzinfo=each.tzinfo or now.tzinfo) for each in (begins, ends))
    return not slash or begins <= now < ends


def without_advertising(url: str) -> str:
    """The address without what says which advertisement led to it; all else stays as it is written."""
    address, hash_, part = url.partition("#")
    path, _mark, query = address.partition("?")
    words = query.split("&")
    others = [word for word in words if not _ADVERTISING.match(word)]
    if len(others) == len(words):
        return url
    return f"{path}{'?' if others else ''}{'&'.join(others)}{hash_}{part}"


def plain_text(html: str) -> str:
    """Text of a piece of HTML, its paragraphs a space apart."""
    if "<" not in html and "&" not in html:
        return html
    reader = _Text()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.parts).split())


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the library's own name
        self.parts.append(" " if tag not in _INLINE else "")
        self._hidden += tag in _HIDDEN

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(" " if tag not in _INLINE else "")
        self._hidden -= tag in _HIDDEN and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


_INLINE = frozenset({"a", "abbr", "b", "em", "i", "small", "span", "strong", "sub", "sup", "u"})
_HIDDEN = frozenset({"script", "style"})
