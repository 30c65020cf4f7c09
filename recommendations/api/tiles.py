"""Pictures for items that have none: the pack it is sold in, with what is in it, in the colours of its variety.

What is watched, heard or read is drawn as a film, a record or a sheet with its title.

Pages get a drawing, mails the same as PNG: hardly a mail program shows SVG.
"""

import colorsys
import re
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from xml.sax.saxutils import escape

import resvg_py
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page

from recommendations.api.errors import only_read, problem
from recommendations.api.pictures.choice import Appearance, appearance_of, emblems
from recommendations.api.pictures.packs import PALETTE, PILED, Colours, Pack, packs
from recommendations.services.catalogue.editing import TileFacts, tile_facts
from recommendations.terms import ItemKind

MAX_AGE = 7 * 24 * 3600  # seconds; title and categories of an item hardly ever change
SIDE = 504  # pixels of a PNG: twice what the widest tile of a mail has
LINE_WIDTH = 12  # characters of ordinary width
LINES = 4
LEADING = 18  # between two of them
WORKS: Mapping[str, str] = {
    ItemKind.FILM: "film", ItemKind.EPISODE: "film", ItemKind.SERIES: "film", ItemKind.TRACK: "record",
    ItemKind.ALBUM: "record", ItemKind.ARTIST: "record", ItemKind.ARTICLE: "sheet",
}  # fmt: skip
"""Drawings of what is no goods, whatever its title names: a film called “The Book Thief” is no book."""
EMBLEM = 32  # side of an emblem's field
LETTER = 0.66  # width of a letter, in parts of the size of the type
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" role="img"><title>{label}</title>'
    '<path fill="{paper}" d="M0 0h200v200H0z"/><path fill="{shelf}" d="M0 172h200v28H0z"/>{drawing}</svg>'
)


@only_read
@login_not_required
@gzip_page
def item_tile(_request: HttpRequest, shop_id: str) -> HttpResponse:
    """``GET /api/v1/items/{item_id}/tile.svg``, for everybody: a picture shows no more than the shop does.

    Until its sale begins an item bears its id.
    """
    return _picture(shop_id, draw_tile, "image/svg+xml")


@only_read
@login_not_required
def item_tile_png(_request: HttpRequest, shop_id: str) -> HttpResponse:
    """``GET /api/v1/items/{item_id}/tile.png``, for everybody: the same picture for mails."""
    return _picture(shop_id, paint_tile, "image/png")


def paint_tile(facts: TileFacts) -> bytes:
    """Paint a tile: PNG of ``SIDE`` × ``SIDE`` pixels, in the fonts that this machine has."""
    return bytes(resvg_py.svg_to_bytes(svg_string=draw_tile(facts).decode(), width=SIDE))


def _picture(shop_id: str, draw: Callable[[TileFacts], bytes], content_type: str) -> HttpResponse:
    facts, age = tile_facts(shop_id=shop_id), MAX_AGE
    if facts is None:
        return problem(HTTPStatus.NOT_FOUND, _("There is no item with this id."))
    if facts.public_from is not None and facts.public_from > (now := timezone.now()):
        age = min(age, int((facts.public_from - now).total_seconds()))
        facts = TileFacts(title=shop_id, brand="", path="", kind=facts.kind)
    answer = HttpResponse(draw(facts), content_type=content_type)
    answer["Cache-Control"] = f"public, max-age={age}"
    # Opened by itself the picture is a document of this site: it may load and run nothing.
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'none'; sandbox"
    return answer


def draw_tile(facts: TileFacts) -> bytes:
    """Draw a tile: SVG in UTF-8, at most 5 KB. Equal facts give equal bytes."""
    brand = _clean(facts.brand)
    title = _clean(facts.title)
    named = title[len(brand) :] if brand and title.lower().startswith(brand.lower()) else title
    colours = colours_of(title.partition(",")[0])
    if facts.kind in WORKS:
        drawing = _work(WORKS[facts.kind], title, colours=colours)
    elif look := appearance_of(named, path=facts.path):
        drawing = _packed(look, brand=brand, colours=colours)
    else:
        drawing = _carton(named, brand=brand, colours=colours)
    paper, shelf = papers_of(facts.path)
    label = escape(_shortened(title, 150))
    return SVG.format(label=label, paper=paper, shelf=shelf, drawing=drawing).encode()


def colours_of(text: str) -> Colours:
    """Colours of a pack: each variety of a brand has its own, whatever its size."""
    return PALETTE[zlib.crc32(text.encode()) % len(PALETTE)]


def papers_of(path: str) -> tuple[str, str]:
    """Colours behind the pack, as #rrggbb, light on light and dark pages alike: in a hue of the category's own."""
    hue = (zlib.crc32(path.encode()) % 360) / 360
    return _hex(colorsys.hls_to_rgb(hue, 0.94, 0.45)), _hex(colorsys.hls_to_rgb(hue, 0.86, 0.35))


def title_lines(title: str) -> list[str]:
    """The first words of a title, on at most four lines; three dots where there are more."""
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


def _packed(appearance: Appearance, *, brand: str, colours: Colours) -> str:
    """The pack with its picture; loose goods lie by themselves, a pile three times."""
    pack = packs()[appearance.pack]
    x, y, side = pack.picture
    drawn = [pack.shapes.format(**colours._asdict())]
    if pack.label:
        radius = side * 0.64
        drawn.append(f'<circle cx="{x}" cy="{y}" r="{radius:g}" fill="#fff" opacity=".94"/>')
    if side:
        drawn.append(f'<g id="e" transform="{_placed(x, y, side)}">{emblems()[appearance.emblem]}</g>')
    if appearance.pack == "pile":
        drawn += [f'<use href="#e" x="{right}" y="{down}"/>' for right, down in PILED]
    return "".join([*drawn, _name(brand, pack)])


def _carton(title: str, *, brand: str, colours: Colours) -> str:
    """A plain box with the first words of the title, where no picture fits."""
    box = packs()["box"]
    lines = title_lines(title)
    words = "".join(_text(line, x=91, y=98 + LEADING * place, size=11) for place, line in enumerate(lines))
    return box.shapes.format(**colours._asdict()) + _name(brand, box) + words


def _work(name: str, title: str, *, colours: Colours) -> str:
    """A film, a record or a sheet with the first words of the title in the middle of its field."""
    work = packs()[name]
    x, y, _side = work.picture
    lines = title_lines(title)
    first = y + 4 - LEADING * (len(lines) - 1) / 2
    words = "".join(_text(line, x=x, y=round(first + LEADING * place), size=11) for place, line in enumerate(lines))
    return work.shapes.format(**colours._asdict()) + words


def _name(brand: str, pack: Pack) -> str:
    """The brand as large as the pack has room for it; none where it would be too small to read."""
    if pack.name is None or not brand:
        return ""
    x, y, width = pack.name
    size = min(17, int(width / (LETTER * _width(brand))))
    return _text(brand, x=x, y=y, size=size) if size >= 7 else ""


def _text(line: str, *, x: int, y: int, size: int) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-family="system-ui,sans-serif" font-weight="700" fill="#fff" '
        f'text-anchor="middle">{escape(line)}</text>'
    )


def _placed(x: int, y: int, side: int) -> str:
    return f"translate({x - side / 2:g} {y - side / 2:g}) scale({side / EMBLEM:g})"


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
