"""The parts of a bandit's page: its shares and what it believes, as figures and tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.charts.arms import belief_ridges, share_stack
from analytics.queries.experiments.bandit import bandit_standing
from recommendations.models import Arm, Experiment
from recommendations.services.experiments.levers import live_changes
from recommendations.wording.bandits import GOES_ON


def bandit_parts(stored: Experiment, arms: Sequence[Arm], names: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
    """Context of a bandit that has begun."""
    standing = bandit_standing(stored, arms, lambda key: names.get(str(key), str(key)), today=timezone.localdate(now))
    if standing is None:
        return {}
    parts: dict[str, Any] = {"bandit": standing, "verdict": standing.sentence, "live_arms": _live(stored, arms)}
    stack = share_stack(standing.shares, day=_("Day"), axis=_("Share of the visitors, %"), floor=_("the least share"))
    parts["shares_figure"] = stack.to_json(engine="orjson")
    if standing.beliefs:
        metric = stored.get_primary_display()
        axis = _("%(metric)s, %%") % {"metric": metric} if standing.in_percent else metric
        ridges = belief_ridges(standing.beliefs, axis=axis, best=_("best: %s"))
        parts["beliefs_figure"] = ridges.to_json(engine="orjson")
    return parts


def _live(stored: Experiment, arms: Sequence[Arm]) -> list[str]:
    """Letters of the arms but the control that are served to everybody by now, while the bandit goes on."""
    if stored.simulated or stored.status not in GOES_ON:
        return []
    live = live_changes(arm.changes for arm in arms)
    return [arm.letter for arm in arms if not arm.is_control and arm.changes == live]
