"""Shapes of packs on a field of 200 by 200, in the colours of a brand; where on them a picture and a name go."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec


class Colours(NamedTuple):
    """Colours of a pack, as #rrggbb. White text is read on ``body`` and on ``shade`` (4.5 : 1, WCAG 2.2)."""

    body: str
    shade: str
    accent: str


class Pack(msgspec.Struct, frozen=True):
    """``shapes``: SVG with the names of colours. ``picture``: middle and side of what is shown on it."""

    shapes: str
    picture: tuple[int, int, int]
    name: tuple[int, int, int] | None = None  # middle, baseline and width of the text
    label: bool = True  # a white label under the picture


PALETTE = (
    Colours("#1f6f5c", "#175445", "#f2c14e"),
    Colours("#23539b", "#193e75", "#ffd166"),
    Colours("#a8323e", "#7f2530", "#ffe3b3"),
    Colours("#7a3e8e", "#5b2d6b", "#f6b8d1"),
    Colours("#b4530a", "#8a3f07", "#ffe08a"),
    Colours("#0f6c86", "#0a5266", "#ffb38a"),
    Colours("#4c6b1f", "#3a5217", "#f7e08b"),
    Colours("#8a5a1c", "#684314", "#ffeec2"),
    Colours("#333f66", "#252e4c", "#9fd8cb"),
    Colours("#a02c6b", "#7a2151", "#ffd9a0"),
    Colours("#2f6f2f", "#235423", "#ffc4a3"),
    Colours("#5a4a3f", "#43372f", "#f0b65a"),
)

PILED = ((-44, 44), (40, 50))  # where the other two of a pile lie


@cache
def packs() -> Mapping[str, Pack]:
    """The packs of ``packs.json`` by name."""
    return msgspec.json.decode((Path(__file__).parent / "packs.json").read_bytes(), type=dict[str, Pack])
