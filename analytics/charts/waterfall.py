"""A final score as a fall of bars: each term begins where the one before ends, the last bar is the sum."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts.hues import INK, PATTERNS
from analytics.charts.marks import named_rows, on_a_phone, plain

ROW = 27  # pixels


@dataclass(frozen=True, kw_only=True)
class Fall:
    """A term of a score with its hue; one with a pattern shares its hue with another recommender."""

    words: str
    value: float
    hue: int
    pattern: str = ""  # by its name in ``hues.PATTERNS``


def waterfall(terms: Sequence[Fall], *, total: str, axis: str) -> go.Figure:
    """Terms from above to below; to the right what speaks for the item, to the left what speaks against it."""
    starts = [sum(term.value for term in terms[:place]) for place in range(len(terms) + 1)]
    rows = [*terms, Fall(words=total, value=starts[-1], hue=INK)]
    words = [row.words for row in rows]
    figure = go.Figure(
        go.Bar(
            x=[round(row.value, 6) for row in rows],
            base=[*(round(start, 6) for start in starts[:-1]), 0],
            y=list(range(len(rows))),
            orientation="h",
            marker={"pattern": {"shape": [PATTERNS[row.pattern] for row in rows], "size": 6}},
            meta={"hues": [row.hue for row in rows]},
            customdata=[plain(each) for each in words],
            hovertemplate="%{customdata}: %{x:+.4f}<extra></extra>",
        )
    )
    return figure.update_layout(
        height=78 + ROW * len(rows),
        bargap=0.35,
        margin={"t": 8, "b": 48, "l": 8, "r": 20},
        xaxis={"title": {"text": axis}, "zeroline": True, "nticks": 6},
        yaxis=named_rows(words),
        shapes=[_step(at, start) for at, start in enumerate(starts[1:])],
        meta=on_a_phone(words),
    )


def _step(row: int, x: float) -> dict[str, object]:
    """The line from the end of a bar to the beginning of the next."""
    return {"type": "line", "x0": x, "x1": x, "y0": row - 0.3, "y1": row + 1.3, "line": {"width": 1, "dash": "dot"}}
