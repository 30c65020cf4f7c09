"""Audiences to choose from in a form; what was chosen before stays, also where it is gone."""

from collections.abc import Sequence

from analytics.parameters import number
from analytics.queries.segments.choices import missing
from recommendations.models import Audience


def with_chosen(offered: Sequence[tuple[str, str]], chosen: str) -> list[tuple[str, str]]:
    """Key and name of the audiences; behind them the ``chosen`` one if it is none of them, and that it is not."""
    if not chosen or chosen in dict(offered):
        return list(offered)
    archived = Audience.objects.filter(pk=number(chosen) or 0).first()
    return [*offered, (chosen, missing(archived.name if archived else chosen))]
