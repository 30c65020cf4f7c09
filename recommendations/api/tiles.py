"""Pictures for items that have none: icon and hue of the department, the first words of the title, the size."""

import colorsys
import re
import zlib
from http import HTTPStatus
from typing import NamedTuple
from xml.sax.saxutils import escape

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from recommendations.api.errors import only_read, problem
from recommendations.services.catalogue.editing import TileFacts, tile_facts

MAX_AGE = 7 * 24 * 3600  # seconds; title and department of an item hardly ever change
LINE_WIDTH = 18  # characters of ordinary width
LINES = 2
INK_CONTRAST = 7.0  # WCAG AAA for text; the icon, in the same ink, needs 3
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

BASKET = "M4 10h16l-2 10H6zM8 10l4-6 4 6"
# Our own drawings on a field of 24 by 24, one line each; the first whose word stands in the department's name.
ICONS = {
    "bakery|bread|pastry": "M4 14c0-5 4-8 8-8s8 3 8 8v4H4zM9 9v4M12 8v5M15 9v4",
    "meat|beef|pork|poultry": "M14 4a6 6 0 1 1-4 10l-4 4a2 2 0 1 1-2-2l4-4a6 6 0 0 1 6-8z",
    "seafood|fish": "M3 12c4-6 10-6 14 0-4 6-10 6-14 0zM17 12l4-4v8zM7 11v.1",
    "produce|fruit|vegetable|salad": "M12 8c-5-3-8 1-7 6 1 4 4 7 7 5 3 2 6-1 7-5 1-5-2-9-7-6zM12 8c0-3 1-4 3-5",
    "deli|cheese": "M3 14L17 6c3 1 4 4 4 8zM3 14v5h18v-5M9 17v.1M15 16v.1",
    "drug|pharmacy|health": "M5 9h14v11H5zM7 9V5h10v4M12 12v5M9.5 14.5h5",
    "cosmetic|beauty": "M8 12h8v8H8zM10 12V7l4-3v8",
    "floral|flower|garden": "M12 12v9M12 17c-3 0-5-1-5-3 3 0 5 1 5 3zM12 12a4 4 0 1 1 0-8 4 4 0 1 1 0 8z",
    "spirits|wine|beer|liquor": "M8 3h8v5a4 4 0 0 1-8 0zM12 12v8M8 20h8",
    "nutrition|natural|organic": "M5 19C4 9 10 4 20 4c0 10-5 16-15 15zM5 19l8-8",
    "restaurant|coffee|chef": "M5 9h11v6a4 4 0 0 1-4 4H9a4 4 0 0 1-4-4zM16 10h2a2 2 0 1 1 0 5h-2M8 3v3M12 3v3",
    "toy|game|photo|video|travel|book": "M12 3l2.6 5.6 6 .8-4.4 4.2 1.1 6L12 16.7l-5.3 2.9 1.1-6L3.4 9.4l6-.8z",
    "shoe|apparel|clothes|fashion": "M8 4l4 2 4-2 5 4-3 3-2-1v10H8V10l-2 1-3-3z",
    "frozen|dairy|milk": "M12 3v18M4 7.5l16 9M20 7.5l-16 9",
    "home|houseware|electric|automotive": "M4 11l8-7 8 7v9H4zM10 20v-6h4v6",
}  # fmt: skip
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" role="img"><title>{label}</title>'
    '<rect width="200" height="200" fill="{paper}"/>'
    '<path d="{icon}" transform="translate(62 22) scale(3.2)" fill="none" stroke="{ink}" stroke-width="1.3" '
    'stroke-linecap="round" stroke-linejoin="round"/>'
    '<g fill="{ink}" font-family="system-ui,sans-serif" text-anchor="middle">{texts}</g></svg>'
)


class Colours(NamedTuple):
    """Colours of a tile, as #rrggbb: a light paper for light and dark pages, and an ink that is read on it."""

    paper: str
    ink: str


@only_read
@login_not_required
def item_tile(_request: HttpRequest, shop_id: str) -> HttpResponse:
    """``GET /api/v1/items/{item_id}/tile.svg``, for everybody: a picture shows no more than the shop does."""
    facts = tile_facts(shop_id=shop_id)
    if facts is None:
        return problem(HTTPStatus.NOT_FOUND, _("There is no item of this id."))
    answer = HttpResponse(draw_tile(facts), content_type="image/svg+xml")
    answer["Cache-Control"] = f"public, max-age={MAX_AGE}"
    # Opened by itself the picture is a document of this site: it may load and run nothing.
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'none'; sandbox"
    return answer


def draw_tile(facts: TileFacts) -> bytes:
    """Draw a tile: SVG in UTF-8, at most 2 KB. Equal facts give equal bytes."""
    colours = colours_of(facts.department)
    lines = title_lines(_name(facts))
    texts = [_text(line, y=132 + 22 * place, size=18) for place, line in enumerate(lines)]
    if facts.size:
        texts.append(_text(_shortened(_clean(facts.size), LINE_WIDTH + 4), y=190, size=14))
    icon = icon_of(facts.department)
    label = escape(_shortened(_clean(facts.title), 150))
    return SVG.format(label=label, icon=icon, texts="".join(texts), **colours._asdict()).encode()


def colours_of(department: str) -> Colours:
    """Colours in a hue of the department's own; the ink is darkened until it is read easily on the paper."""
    hue = (zlib.crc32(department.encode()) % 360) / 360
    paper = colorsys.hls_to_rgb(hue, 0.90, 0.55)
    lightness = 0.35
    while contrast(paper, colorsys.hls_to_rgb(hue, lightness, 0.6)) < INK_CONTRAST:
        lightness -= 0.01
    return Colours(_hex(paper), _hex(colorsys.hls_to_rgb(hue, lightness, 0.6)))


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Contrast ratio of two colours in sRGB, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def icon_of(department: str) -> str:
    """SVG path data of a department's icon: the first whose word is in its name, else the basket."""
    lowered = department.lower()
    drawings = (drawing for words, drawing in ICONS.items() if any(word in lowered for word in words.split("|")))
    return next(drawings, BASKET)


def title_lines(title: str) -> list[str]:
    """The first words of a title, on at most two lines; three dots where there are more."""
    words = _clean(title).split()
    lines: list[str] = []
    for word in words:
        if lines and _width(f"{lines[-1]} {word}") <= LINE_WIDTH:
            lines[-1] = f"{lines[-1]} {word}"
        elif len(lines) == LINES:
            lines[-1] = _shortened(f"{lines[-1]} …", LINE_WIDTH)
            break
        else:
            lines.append(_shortened(word, LINE_WIDTH))
    return lines


def _name(facts: TileFacts) -> str:
    """The title as far as it does not say size and brand, which a shop may write after a comma."""
    ends = [facts.title.lower().find(f", {part.lower()}") for part in (facts.size, facts.brand) if part]
    return facts.title[: min((end for end in ends if end > 0), default=None)]


def _text(line: str, *, y: int, size: int) -> str:
    return f'<text x="100" y="{y}" font-size="{size}">{escape(line)}</text>'


def _clean(text: str) -> str:
    """A text without what XML cannot hold."""
    return NOT_XML.sub("", text)


def _width(text: str) -> int:
    """Width of a text in ordinary characters: ideographs take two."""
    return sum(2 if "\u2e80" <= char <= "\uffdc" else 1 for char in text)


def _shortened(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while text and _width(text) > width - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _hex(colour: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def _luminance(colour: tuple[float, float, float]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
