"""Shapes of packs on a field of 200 by 200, in the colours of a brand; where on them a picture and a name go."""

from typing import NamedTuple


class Colours(NamedTuple):
    """Colours of a pack, as #rrggbb. White text is read on ``body`` and on ``shade`` (4.5 : 1, WCAG 2.2)."""

    body: str
    shade: str
    accent: str


class Pack(NamedTuple):
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

PACKS = {
    "carton": Pack(
        '<path fill="{body}" d="M58 70h84v108H58z"/><path fill="{shade}" d="M58 70l16-32h52l16 32z"/>'
        '<path fill="{accent}" d="M72 24h56v14H72zM58 158h84v8H58z"/>',
        (100, 118, 54), (100, 64, 56),
    ),
    "bottle": Pack(
        '<path fill="{body}" d="M86 34h28l2 22c20 10 28 26 28 44v64q0 14-14 14H70q-14 0-14-14v-64c0-18 8-34 28-44z"/>'
        '<path fill="{accent}" d="M84 18h32v18H84z"/>'
        '<path fill="{shade}" d="M56 150h88v14q0 14-14 14H70q-14 0-14-14z"/>',
        (100, 112, 52), (100, 169, 78),
    ),
    "can": Pack(
        '<path fill="{body}" d="M64 38q0-8 10-12h52q10 4 10 12v132q0 6-10 10H74q-10-4-10-10z"/>'
        '<path fill="#d5dbe1" d="M74 18h52l6 12H68zM68 174h64l-7 10H75z"/>'
        '<path fill="{shade}" d="M64 44h72v28H64z"/><path fill="{accent}" d="M64 156h72v6H64z"/>',
        (100, 112, 48), (100, 63, 66),
    ),
    "tin": Pack(
        '<path fill="{body}" d="M48 56h104v110q-8 12-52 12t-52-12z"/>'
        '<path fill="#e3e8ec" d="M48 56q0-14 52-14t52 14-52 14-52-14z"/>'
        '<path fill="#c3ccd4" d="M60 56q4-7 40-7t40 7-40 7-40-7z"/>'
        '<path fill="{accent}" d="M48 152q8 10 52 10t52-10v7q-8 10-52 10t-52-10z"/>',
        (100, 122, 50), (100, 86, 88),
    ),
    "jar": Pack(
        '<path fill="{body}" opacity=".25" d="M54 64q0-10 12-12h68q12 2 12 12v100q0 14-14 14H68q-14 0-14-14z"/>'
        '<path fill="{accent}" d="M62 26h76v24H62z"/><path fill="{body}" d="M54 82h92v74H54z"/>',
        (100, 130, 40), (100, 98, 82),
    ),
    "box": Pack(
        '<path fill="{body}" d="M44 30h94v148H44z"/><path fill="{shade}" d="M138 30l20 12v124l-20 12z"/>'
        '<path fill="{accent}" d="M44 64h94v6H44z"/>',
        (91, 120, 62), (91, 53, 84),
    ),
    "bag": Pack(
        '<path fill="{body}" d="M50 28q50 8 100 0-9 76 0 152-50-8-100 0 9-76 0-152z"/>'
        '<path fill="{shade}" d="M50 28q50 8 100 0l-2 16q-48 7-96 0zM52 164q48-7 96 0l2 16q-50-8-100 0z"/>',
        (100, 114, 62), (100, 66, 80),
    ),
    "sack": Pack(
        '<path fill="{body}" d="M56 46l8-18h72l8 18q12 60 2 134H54q-10-74 2-134z"/>'
        '<path fill="{shade}" d="M64 28h72l8 18H56z"/><path fill="{accent}" d="M53 150h94v8H53z"/>',
        (100, 110, 60), (100, 67, 80),
    ),
    "tub": Pack(
        '<path fill="{body}" d="M44 74h112l-12 98q-1 8-9 8H65q-8 0-9-8z"/>'
        '<path fill="{accent}" d="M36 54h128v20H36z"/>',
        (100, 136, 50), (100, 96, 88),
    ),
    "tray": Pack(
        '<path fill="#fff" d="M22 92h156l-14 68q-2 10-12 10H48q-10 0-12-10z"/>'
        '<path fill="#dfe5ea" d="M22 92h156l-3 14H25z"/><path fill="{body}" d="M58 146h84v20H58z"/>',
        (100, 90, 112), (100, 160, 78), label=False,
    ),
    "eggs": Pack(
        '<path fill="#f6e3c8" d="M42 96q12-44 29 0 12-44 29 0 12-44 29 0 12-44 29 0z"/>'
        '<path fill="{body}" d="M30 94h140l-8 68q-1 8-9 8H47q-8 0-9-8z"/>'
        '<path fill="{shade}" d="M30 94h140l-2 12H32z"/>',
        (100, 84, 0), (100, 146, 100), label=False,
    ),
    "jug": Pack(
        '<path fill="{body}" d="M54 74q0-24 24-24h24l40 30q6 5 6 14v72q0 12-12 12H66q-12 0-12-12z"/>'
        '<path fill="{accent}" d="M74 26h34v24H74z"/><path fill="#fff" opacity=".85" d="M112 72l22 16v20l-22-16z"/>',
        (96, 122, 44), (98, 168, 78),
    ),
    "pump": Pack(
        '<path fill="{body}" d="M60 84q0-16 16-16h48q16 0 16 16v82q0 14-14 14H74q-14 0-14-14z"/>'
        '<path fill="{shade}" d="M90 46h20v22H90zM70 32h52v12H70z"/><path fill="{accent}" d="M60 152h80v8H60z"/>',
        (100, 120, 44), (100, 86, 68),
    ),
    "spray": Pack(
        '<path fill="{body}" d="M66 76q0-14 34-14t34 14v104H66z"/><path fill="#e3e8ec" d="M76 46h48v18H76z"/>'
        '<path fill="{accent}" d="M84 22h32v24H84z"/><path fill="{shade}" d="M66 156h68v24H66z"/>',
        (100, 122, 44), (100, 88, 60),
    ),
    "tube": Pack(
        '<path fill="{body}" d="M58 24h84l-12 124H70z"/><path fill="{shade}" d="M56 20h88v14H56z"/>'
        '<path fill="{accent}" d="M74 148h52v32H74z"/>',
        (100, 108, 44), (100, 62, 66),
    ),
    "medicine": Pack(
        '<path fill="{body}" d="M60 70h80v98q0 12-12 12H72q-12 0-12-12z"/><path fill="#f3f5f7" d="M56 34h88v34H56z"/>'
        '<path fill="#d5dbe1" d="M66 34h4v34h-4zM82 34h4v34h-4zM98 34h4v34h-4zM114 34h4v34h-4zM130 34h4v34h-4z"/>',
        (100, 126, 44), (100, 91, 68),
    ),
    "canister": Pack(
        '<path fill="{body}" d="M58 48h84v120q0 12-42 12t-42-12z"/><path fill="{accent}" d="M54 28h92v22H54z"/>'
        '<path fill="{shade}" d="M58 150h84v18q0 12-42 12t-42-12z"/>',
        (100, 112, 52), (100, 70, 74),
    ),
    "shaker": Pack(
        '<path fill="{body}" d="M68 66h64l8 100q0 14-14 14H74q-14 0-14-14z"/>'
        '<path fill="#dfe5ea" d="M66 32q34-14 68 0v34H66z"/>'
        '<path fill="{shade}" d="M84 40h6v6h-6zM97 36h6v6h-6zM110 40h6v6h-6z"/>',
        (100, 126, 44), (100, 90, 56),
    ),
    "roll": Pack(
        '<path fill="#fff" d="M50 52q0-14 50-14t50 14v112q0 14-50 14t-50-14z"/>'
        '<path fill="#e8edf1" d="M50 52q0-14 50-14t50 14-50 14-50-14z"/>'
        '<path fill="#b9c2ca" d="M86 52q0-5 14-5t14 5-14 5-14-5z"/>'
        '<path fill="{body}" d="M50 84q50 14 100 0v62q-50 14-100 0z"/>',
        (100, 132, 34), (100, 104, 84),
    ),
    "wrapper": Pack(
        '<path fill="{body}" d="M16 66l10 5 10-5h128l10 5 10-5v76l-10-5-10 5H36l-10-5-10 5z"/>'
        '<path fill="{shade}" d="M36 66h8v76h-8zM156 66h8v76h-8z"/><path fill="{accent}" d="M44 128h112v6H44z"/>',
        (72, 100, 46), (129, 104, 48),
    ),
    "card": Pack(
        '<path fill="#fff" d="M46 22h108v156H46z"/><path fill="{body}" d="M46 22h108v40H46z"/>'
        '<path fill="#e3e8ec" d="M92 28h16v8H92z"/><path fill="{accent}" d="M46 62h108v5H46z"/>',
        (100, 122, 78), (100, 55, 96), label=False,
    ),
    "book": Pack(
        '<path fill="{body}" d="M54 24h90q8 0 8 8v138q0 8-8 8H54z"/>'
        '<path fill="{shade}" d="M54 24v154q-10 0-10-10V34q0-10 10-10z"/>'
        '<path fill="{accent}" d="M66 70h74v4H66zM66 166h74v4H66z"/>',
        (103, 120, 66), (103, 56, 80),
    ),
    "loose": Pack("", (100, 98, 140), label=False),
    "pile": Pack("", (100, 76, 88), label=False),
}  # fmt: skip
PILED = ((-44, 44), (40, 50))  # where the other two of a pile lie
