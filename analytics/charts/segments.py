"""Figures of segments: their map, and the categories that set one apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import plotly.graph_objects as go

from analytics.charts import hues
from analytics.charts.marks import percent, plain, short

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
SMALLEST, LARGEST = 12, 34  # sizes of a centre
LONGEST_ON_THE_MAP = (60, 24)
LONGEST_ON_A_PHONE = 16


@dataclass(frozen=True, kw_only=True)
class Centre:
    number: int
    words: str
    size: int  # customers
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class MapPoint:
    """A customer of the segment with this number."""

    number: int
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Leaning:
    """A category's share in a segment, and among everybody."""

    words: str
    share: float
    overall: float | None  # None where unknown


def look(number: int) -> tuple[int, str]:
    """Hue and symbol of a segment, always the same ones; the symbol changes where the six hues are used up."""
    place = max(number - 1, 0)
    return place % hues.N_HUES + 1, SYMBOLS[place // hues.N_HUES % len(SYMBOLS)]


def segment_map(centres: Sequence[Centre], points: Sequence[MapPoint], *, customers: str) -> go.Figure:
    """Customers as dots, segments as marks whose area is their size; the largest is named first."""
    figure = go.Figure()
    numbers = {centre.number for centre in centres}
    for number in sorted({point.number for point in points} & numbers):
        hue, symbol = look(number)
        of_one = [point for point in points if point.number == number]
        figure.add_scatter(
            x=[round(point.x, 3) for point in of_one],
            y=[round(point.y, 3) for point in of_one],
            mode="markers",
            marker={"size": 5, "symbol": symbol, "opacity": 0.45},
            meta=hues.meta(hue),
            hoverinfo="skip",
        )
    largest = max((centre.size for centre in centres), default=1) or 1
    for centre in sorted(centres, key=lambda centre: -centre.size):
        hue, symbol = look(centre.number)
        names = [short(f"{centre.number} {centre.words}", longest) for longest in LONGEST_ON_THE_MAP]
        figure.add_scatter(
            x=[round(centre.x, 3)],
            y=[round(centre.y, 3)],
            mode="markers+text",
            marker={
                "size": SMALLEST + (LARGEST - SMALLEST) * sqrt(centre.size / largest),
                "symbol": symbol,
                "line": {"width": 2},
            },
            text=[str(centre.number)],
            textposition="top center",
            textfont={"size": 13},
            meta=hues.meta(hue) | {"label": [*names, str(centre.number)]},
            customdata=[[plain(centre.words), centre.size]],
            hovertemplate=f"%{{customdata[0]}}: %{{customdata[1]:,}} {plain(customers)}<extra></extra>",
        )
    axis = {"visible": False, "range": [-1.18, 1.18], "fixedrange": True}
    return figure.update_layout(
        height=520,
        margin={"t": 8, "b": 8, "l": 8, "r": 8},
        xaxis=axis,
        yaxis=axis,
    )


def leanings(found: Sequence[Leaning], *, segment: str, everybody: str, axis: str) -> go.Figure:
    """Two bars for each category; the one that sets the segment apart most is on top."""
    figure = go.Figure()
    rows = list(range(len(found)))
    for words, hue, values in (
        (segment, 1, [each.share for each in found]),
        (everybody, hues.OTHER, [each.overall or 0 for each in found]),
    ):
        figure.add_bar(
            y=rows,
            x=[percent(value) for value in values],
            name=plain(words),
            orientation="h",
            meta=hues.meta(hue),
            customdata=[plain(each.words) for each in found],
            hovertemplate="%{customdata}: %{x:.2f} %<extra>%{fullData.name}</extra>",
        )
    ticks = [f"{short(each.words)} " for each in found]
    narrow = [f"{short(each.words, LONGEST_ON_A_PHONE)} " for each in found]
    return figure.update_layout(
        height=100 + 30 * len(found),
        margin={"t": 36, "b": 44},
        showlegend=True,
        xaxis={"title": {"text": axis}, "rangemode": "tozero", "nticks": 6},
        yaxis={"autorange": "reversed", "showgrid": False, "tickvals": rows, "ticktext": ticks},
        meta={"narrow": {"yaxis": {"ticktext": narrow}}},
    )
