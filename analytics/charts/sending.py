"""Figure of a sending: from the audience down to who gets it, a bar for each reason why somebody does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from analytics.charts.hues import INK
from analytics.charts.marks import named_rows, on_a_phone, plain
from recommendations.push_terms import SENDING, Verdict

ROW = 36  # pixels
ROOM = 1.16  # of the audience, for the number beside its bar
REACH, HELD, ENOUGH, CONTENT, SENT = 6, 5, 2, 4, 3
KINDS: Mapping[Verdict | None, int] = {
    None: INK,
    Verdict.NO_ADDRESS: REACH, Verdict.NO_CONSENT: REACH, Verdict.SUPPRESSED: REACH, Verdict.HELD_OUT: HELD,
    Verdict.CAPPED: ENOUGH, Verdict.OUTRANKED: ENOUGH, Verdict.WAITS: ENOUGH, Verdict.OVER_BUDGET: ENOUGH,
    Verdict.DONE_ALREADY: CONTENT, Verdict.TOO_LITTLE: CONTENT, Verdict.NOT_WORTH: CONTENT, Verdict.LATER: SENT,
    Verdict.NOW: SENT,
}  # fmt: skip
"""Hues by what is in the way: nobody to write to, the holdout, enough messages, nothing to say; and of what is sent."""


@dataclass(frozen=True, kw_only=True)
class VerdictBar:
    """People with a verdict, or all of them; ``link`` leads to their list."""

    verdict: Verdict | None
    words: str
    people: int
    text: str
    link: str


def sending_figure(bars: Sequence[VerdictBar], *, audience: VerdictBar, axis: str) -> go.Figure:
    """The audience, then what falls away from it, step by step, to those who get it; empty lines are left out."""
    shown = [bar for bar in bars if bar.people]
    left, bases = audience.people, [0]
    for bar in shown:
        left -= bar.people
        bases.append(left)
    rows = [audience, *shown]
    words = [row.words for row in rows]
    figure = go.Figure(
        go.Bar(
            x=[row.people for row in rows],
            base=bases,
            y=list(range(len(rows))),
            orientation="h",
            text=[row.text for row in rows],
            textposition="outside",
            cliponaxis=False,
            marker={"pattern": {"shape": ["/" if row.verdict is Verdict.LATER else "" for row in rows], "size": 6}},
            meta={"hues": [KINDS[row.verdict] for row in rows], "links": True},
            customdata=[row.link for row in rows],
            hovertext=[f"{plain(row.words)}: {row.text}" for row in rows],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    return figure.update_layout(
        height=70 + ROW * len(rows),
        bargap=0.3,
        margin={"t": 6, "b": 48, "l": 8, "r": 12},
        xaxis={"title": {"text": axis}, "range": [0, audience.people * ROOM], "nticks": 6},
        yaxis=named_rows(words),
        shapes=[_step(row, x) for row, x in enumerate(bases[1:]) if shown[row].verdict not in SENDING],
        meta={"narrow": {**on_a_phone(words)["narrow"], "xaxis": {"nticks": 4}}},
    )


def _step(row: int, x: float) -> dict[str, object]:
    """The line from where a bar ends to the one below it."""
    return {"type": "line", "x0": x, "x1": x, "y0": row + 0.7, "y1": row + 2.3, "line": {"width": 1, "dash": "dot"}}
