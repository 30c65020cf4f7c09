"""A search for weights in words, and what it found as the sliders take it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from analytics.queries.weights.desk import live_of
from analytics.queries.weights.sliders import fields
from analytics.templatetags.display import share
from analytics.templatetags.help import figure_name
from analytics.templatetags.weights import GOALS, SHOWN_MEASURES, fine_share
from recommendations.engine.evaluation.panel_measures import ACCURACY, COVERAGE, DIVERSITY
from recommendations.models import Group, WeightSearch
from recommendations.services.weights.panels import PanelSettings
from recommendations.services.weights.suggestions import Outcome, goals_of
from recommendations.services.weights.values import Values
from recommendations.services.weights.what_if import Unmeasured, held_for
from recommendations.terms import BlendName, RunStatus

WORDS: Mapping[str, Promise] = {ACCURACY: pgettext_lazy("goal", "Accuracy"), **GOALS}
LOSS = "1"  # percent of live's accuracy that another goal may cost, as long as nobody says how much
LIMITS: Mapping[str, tuple[Promise, str]] = {
    "most_loss": (gettext_lazy("Lose at most this much accuracy"), ""),
    "least_coverage": (gettext_lazy("Show at least this share of the catalogue"), COVERAGE),
    "least_diversity": (gettext_lazy("Keep the variety of lists at least at"), DIVERSITY),
}
"""Limits of a search: what is asked, and the measure of live that stands beside it."""


@dataclass(frozen=True, kw_only=True)
class LimitField:
    """A limit in the form, in percent; ``live`` is what live has."""

    name: str
    words: Promise
    text: str
    live: str
    error: str


def form_of(
    blend: BlendName, group: Group, *, given: Mapping[str, str] | None, errors: Mapping[str, str]
) -> dict[str, Any]:
    """Context of the form; where nothing was ``given``, with as much coverage as live has, so that nothing is traded
    away unasked."""
    live = _of_live(blend, group)
    filled = {"most_loss": LOSS, "least_coverage": f"{math.floor(1000 * live[COVERAGE]) / 10:g}"} if live else {}
    texts = filled if given is None else given
    return {
        "goals": [(goal, WORDS[goal]) for goal in goals_of(held_for(blend, group))],
        "goal": texts.get("goal", ACCURACY),
        "limits": [
            LimitField(
                name=name, words=words, text=texts.get(name, ""), live=share(live[of], 1) if of in live else "",
                error=errors.get(name, ""),
            )
            for name, (words, of) in LIMITS.items()
        ],
        "errors": errors,
        "elsewhere": bool(errors.keys() - LIMITS.keys() - {"goal"}),
    }  # fmt: skip


def progress_text(search: WeightSearch) -> str:
    """Words for where the search is, or how it ended."""
    if search.cancel_requested_at:
        return _("The search was cancelled.")
    if search.status == RunStatus.FAILED:
        return _("The search failed. Begin again.")
    if search.outcome == Outcome.STAYS:
        return _("Nothing within these limits is measurably better than what is on the sliders.")
    if search.outcome == Outcome.UNMET:
        most = {name: share(search.result[f"most_{name}"], 1) for name in ("coverage", "diversity")}
        return (
            _(
                "Nothing that was tried meets all of these limits. The most that was reached: %(coverage)s of the "
                "catalogue, a variety of %(diversity)s."
            )
            % most
        )
    if search.outcome == Outcome.FOUND:
        return _found_text(search)
    return _("Searching …") if search.status == RunStatus.RUNNING else _("Waiting for a worker.")


def _found_text(search: WeightSearch) -> str:
    """What a suggestion gains of its goal and what it surely costs, in percent of live, with intervals."""
    goal = search.request.get("goal", ACCURACY)
    gain = _change(search.result, goal) or _("as live")
    costs = [_change(search.result, name) for name in _lost(search.result, but=goal)]
    if not costs:
        return _("Suggested: %(gain)s against live, at no certain cost.") % {"gain": gain}
    told = {"gain": gain, "costs": _(", ").join(filter(None, costs))}
    return _("Suggested: %(gain)s against live. It costs: %(costs)s.") % told


def _change(result: Mapping[str, Any], name: str) -> str:
    """Change of a measure with its interval; empty where live has none of it."""
    live, change = result["reached"].get(name), result["against"].get(name)
    if not live or not change:
        return ""
    ends = {end: fine_share(change[end] / live) for end in ("value", "low", "high")}
    words = {"name": figure_name(name), **ends}
    if change["low"] == change["high"]:
        return _("%(name)s %(value)s") % words
    return _("%(name)s %(value)s (95%% interval %(low)s to %(high)s)") % words


def _lost(result: Mapping[str, Any], *, but: str) -> Iterator[str]:
    """Measures of which less is certain."""
    for name in SHOWN_MEASURES:
        if name != but and result["against"].get(name, {"high": 0})["high"] < 0:
            yield name


def loadable(search: WeightSearch) -> Mapping[str, Any] | None:
    """The suggestion for the browser, as ``desk.loadable`` has its points; None where there is nothing new to load."""
    if search.outcome in (None, Outcome.STAYS):
        return None
    values, live = Values(**search.result["values"]), live_of(BlendName(search.blend.name), search.group)
    return {
        "words": _("Suggested"),
        "fields": fields(values, live=Values.of(live) if live else values, names=list(values.weights)),
        "at_once": search.outcome == Outcome.FOUND,
        "told": progress_text(search),
    }


def _of_live(blend: BlendName, group: Group) -> dict[str, float]:
    """Measures of what is served, to set limits by."""
    held, live = held_for(blend, group), live_of(blend, group)
    if isinstance(held, Unmeasured) or live is None:
        return {}
    summary = held.summary(PanelSettings.of(Values.of(live)))
    return {name: measure.value for name, measure in summary.items()}
