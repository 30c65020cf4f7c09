"""Hues of recommenders, events and stages, always the same of six; the second six recommenders are hatched as well,
and those after them crossed.

A trace carries its hue's number in ``meta``; the browser puts in the colour of the theme.
"""

from typing import Any

from recommendations.engine.ranking.confidence import LITTLE_KNOWN, STATED_TASTE
from recommendations.engine.ranking.second_stage import NAME as SECOND_STAGE
from recommendations.terms import Lift

RECOMMENDERS = (
    "buy_again", "ease", "recent_neighbours", "als", "user_knn", "content",
    "interests", "item_knn", "segments", "also_bought", "sequence", "popularity",
    "next_item", "transformer",
)  # fmt: skip
SHARED = {"repurchase": "also_bought", "session_knn": "segments", "content_ridge": "sequence", "social": "also_bought"}
"""Recommenders with the hue of another one, which no blend gives weight beside them."""

PATTERNS = {"": "", "hatch": "/", "cross": "x"}
"""Patterns over the hues of recommenders, in the order of these: the name of each in a page
(``templates/dashboard/patterns.html``), its shape in a chart.
"""

CONTEXTS = ("_home", "_discover", "_context")
EVENTS = (
    "purchase", "view_item", "add_to_cart", "select_item", "search", "view_item_list",
    "dislike_item", "view_homepage", "remove_from_cart", "begin_checkout", "refund", "add_to_wishlist",
    "share", "rate_item", "follow", "view_cart", "unfollow", "play",
    "complete", "skip", "save",
)  # fmt: skip
TIMELINE = (*EVENTS, "message_sent", "message_held", "message_withdrawn")
"""Kinds of events, and behind them what became of messages."""
SHAPES = ("", "/", "x", ".")
"""Shapes of the pattern over the hue: for the first six kinds of events, the second six, and so on."""

ARM_SHAPES = ("", "/", "x", ".", "-", "+")
"""Patterns of an experiment's arms, the control first."""

CIRCLES = {"": "circle", "hatch": "circle-open", "cross": "circle-x-open"}
MEASURED = {
    "hybrid": (1, "diamond"),
    "hybrid_proposed": (1, "diamond-open"),
    "personal_frequency": (3, "square"),
    "popular": (6, "triangle-up"),
    "recent": (6, "triangle-down"),
    SECOND_STAGE: (5, "cross"),
}
POINTS = {
    "live": (1, "diamond"),
    "draft": (1, "diamond-open"),
    "preset": (2, "square"),
    "best": (3, "square-open"),
    "sliders": (4, "star"),
}
"""Looks of points on the weights page; its versions have the look of what has no hue of its own."""
STAGES = ("collect", "preprocess", "interests", "train", "evaluate", "adjust")
N_HUES = 6
OTHER = 6
INK = 0  # of the text: neither a lift nor the second stage is a recommender
RULES, VARIETY, FATIGUE = "rules", "diversity", "fatigue"  # what else a score is made of


def of_recommender(instance: str) -> tuple[int, str]:
    """Hue 1 … 6 and pattern, of a recommender or one of its named instances; lifts have the text's colour, and so has
    what rules add, or what was ignored loses. Hatched in it are the second stage, which has something to say of those
    who are known well, and what people say they like, which counts of those who are not."""
    if instance in {*Lift, SECOND_STAGE, LITTLE_KNOWN, STATED_TASTE, RULES, FATIGUE}:
        return INK, "hatch" if instance in {SECOND_STAGE, STATED_TASTE} else ""
    name = instance
    for context in CONTEXTS:
        name = name.removesuffix(context)
    name = SHARED.get(name, name)
    if name not in RECOMMENDERS:
        return OTHER, "hatch"
    at = RECOMMENDERS.index(name)
    return at % N_HUES + 1, tuple(PATTERNS)[at // N_HUES]


def of_measured(name: str) -> tuple[int, str]:
    """Hue and symbol of a row of the quality table: the hybrid a diamond, baselines square or triangular, the others
    circles of their own hue, open where they are hatched elsewhere and crossed where they are crossed."""
    if look := MEASURED.get(name) or POINTS.get(name):
        return look
    hue, pattern = of_recommender(name)
    return hue, CIRCLES[pattern]


def of_event(name: str) -> tuple[int, str]:
    """Hue and pattern of what stands on a timeline; no two kinds have the same look."""
    place = TIMELINE.index(name)
    return place % N_HUES + 1, SHAPES[place // N_HUES]


def of_arm(position: int) -> tuple[int, str]:
    """Hue and pattern of an arm of an experiment; the control has the quiet hue of what is there already."""
    return (OTHER if position == 0 else (position - 1) % (N_HUES - 1) + 1), ARM_SHAPES[position % len(ARM_SHAPES)]


def of_stage(name: str) -> int:
    return STAGES.index(name) + 1 if name in STAGES else OTHER


def meta(hue: int) -> dict[str, Any]:
    return {"hue": hue}
