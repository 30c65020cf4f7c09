"""Looks of the quality table's rows in every figure: the mark of each, its interval, and the axis of their names."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import plotly.graph_objects as go

from analytics.charts import hues

LONGEST_NAME = 26
LONGEST_ON_A_PHONE = 17
LOUD, QUIET = 13, 9  # sizes: of what is live or may be, and of the others


@dataclass(frozen=True, kw_only=True)
class MeasuredRow:
    """A row of the table with one figure and its 95 % interval."""

    name: str
    words: str
    value: float
    low: float
    high: float


def mark(name: str) -> dict[str, Any]:
    """Properties of a trace of markers that looks like the row."""
    hue, symbol = hues.of_measured(name)
    size = LOUD if symbol.startswith(("diamond", "star")) else QUIET
    return {
        "mode": "markers",
        "cliponaxis": False,  # a mark at 0 is seen whole
        "meta": hues.meta(hue),
        "marker": {"size": size, "symbol": symbol, "line": {"width": 1.5}},
    }


def add_rows(figure: go.Figure, rows: Sequence[MeasuredRow]) -> None:
    """Add a mark with its interval per row, one below the other."""
    for place, row in enumerate(rows):
        figure.add_scatter(
            x=[row.value], y=[place], error_x=interval([row]), hovertemplate=hover_text(row), **mark(row.name)
        )  # fmt: skip


def interval(rows: Sequence[MeasuredRow]) -> dict[str, Any]:
    """Whiskers from low to high, one for each row."""
    return {
        "symmetric": False,
        "array": [round(row.high - row.value, 5) for row in rows],
        "arrayminus": [round(row.value - row.low, 5) for row in rows],
        "thickness": 1.75,
        "width": 4,
    }


def hover_text(row: MeasuredRow) -> str:
    """Text of a row when it is pointed at."""
    return f"{plain(row.words)}: {row.value:.4f} [{row.low:.4f}, {row.high:.4f}]<extra></extra>"


def named_rows(words: Sequence[str]) -> dict[str, Any]:
    """An axis of rows from above to below, a name each."""
    return {
        "range": [len(words) - 0.4, -0.6],
        "tickvals": list(range(len(words))),
        "ticktext": [f"{short(each)} " for each in words],
        "showgrid": False,
        "zeroline": False,
    }


def on_a_phone(words: Sequence[str]) -> dict[str, Any]:
    """Properties that the browser lays over the layout where the figure is narrow."""
    return {"narrow": {"yaxis": {"ticktext": [f"{short(each, LONGEST_ON_A_PHONE)} " for each in words]}}}


DAY = 86_400_000  # milliseconds
FEWEST = 3


def days_axis(days: Sequence[date], *, step: int = 1) -> dict[str, Any]:
    """Range of an axis of days, one every ``step``: at least three, each with its mark, as one alone would be marked in
    milliseconds.
    """
    if not days:
        return {}
    half, first = timedelta(days=step) / 2, datetime.combine(min(days), time())
    last = datetime.combine(max(days), time())
    end = max(last, first + timedelta(days=step * (FEWEST - 1)))
    few = {"tick0": first.isoformat(), "dtick": step * DAY} if end > last else {}
    return {"range": [(first - half).isoformat(), (end + half).isoformat()], **few}


def percent(share: float) -> float:
    return round(100 * share, 2)


def short(words: str, longest: int = LONGEST_NAME) -> str:
    """Cut a long name, which would leave no room on a phone; hover and table have it whole."""
    return plain(words if len(words) <= longest else words[: longest - 1].rstrip() + "…")


def plain(words: str) -> str:
    """Escape a name from the shop, so that it is shown as it is: Plotly reads some HTML in texts."""
    return html.escape(words, quote=False)
