"""Heat map of the items that recommenders have in common."""

from collections.abc import Sequence

import plotly.graph_objects as go

from analytics.charts import hues, marks


def overlap(words: Sequence[str], shares: Sequence[Sequence[float]], *, columns: str) -> go.Figure:
    """Percent of the items that two rows share; columns are the rows' numbers, and no row is compared with itself.

    A bar of colours would need styles that the content security policy forbids; the cells say their numbers.
    """
    numbered = [f"{number}" for number in range(1, len(words) + 1)]
    cells = [[None if i == j else marks.percent(share) for j, share in enumerate(row)] for i, row in enumerate(shares)]
    figure = go.Figure(
        go.Heatmap(
            z=cells,
            x=numbered,
            y=list(range(len(words))),
            xgap=1,
            ygap=1,
            zmin=0,
            meta=hues.meta(1),
            showscale=False,
            texttemplate="%{z:.0f}",
            customdata=[[f"{marks.plain(mine)} · {marks.plain(theirs)}" for theirs in words] for mine in words],
            hovertemplate="%{customdata}: %{z:.0f} %<extra></extra>",
            hoverongaps=False,
        )
    )
    names = [f"{number} {each}" for number, each in zip(numbered, words, strict=True)]
    return figure.update_layout(
        height=90 + 25 * len(words),
        margin={"t": 56, "b": 12, "l": 8, "r": 8},
        xaxis={"title": {"text": columns}, "side": "top", "type": "category", "showgrid": False, "tickangle": 0},
        yaxis=marks.named_rows(names) | {"range": [len(words) - 0.5, -0.5]},
        meta={"narrow": {"yaxis": {"ticktext": [f"{number} " for number in numbered]}}},
    )
