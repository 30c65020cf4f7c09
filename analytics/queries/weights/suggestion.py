"""A search for weights in words, and what it found as the sliders take it."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from analytics.queries.weights.desk import live_of
from analytics.queries.weights.sliders import fields
from analytics.templatetags.display import number, signed
from analytics.templatetags.words import COVERAGE, MAIN_METRIC
from recommendations.models import Group, WeightSearch
from recommendations.services.weights.panels import PanelSettings
from recommendations.services.weights.suggestions import Outcome
from recommendations.services.weights.values import Values
from recommendations.services.weights.what_if import Unmeasured, held_for
from recommendations.terms import BlendName, RunStatus

DIVERSITY = "diversity@10"


def progress_text(search: WeightSearch) -> str:
    """Words for where the search is, or how it ended."""
    if search.cancel_requested_at:
        return _("The search was cancelled.")
    if search.status == RunStatus.FAILED:
        return _("The search failed. Begin again.")
    if search.outcome == Outcome.STAYS:
        return _("Nothing within these limits is measurably better than what is on the sliders.")
    if search.outcome == Outcome.UNMET:
        most = {name: number(search.result[f"most_{name}"], 3) for name in ("coverage", "diversity")}
        return (
            _("Nothing that was tried keeps these limits: at most coverage %(coverage)s and diversity %(diversity)s.")
            % most
        )
    if search.outcome == Outcome.FOUND:
        gain = {end: signed(search.result["against"][MAIN_METRIC][end], 4) for end in ("value", "low", "high")}
        return _("Found: NDCG@10 %(value)s (95%% interval %(low)s to %(high)s) against what was on the sliders.") % gain
    return _("Searching …") if search.status == RunStatus.RUNNING else _("Waiting for a worker.")


def loadable(search: WeightSearch) -> Mapping[str, Any] | None:
    """The suggestion for the browser, as ``desk.loadable`` has its points; None where there is nothing new to load."""
    if search.outcome in (None, Outcome.STAYS):
        return None
    values, live = Values(**search.result["values"]), live_of(BlendName(search.blend.name), search.group)
    return {
        "words": _("Suggested"),
        "fields": fields(values, live=Values.of(live) if live else values, names=list(values.weights)),
        "at_once": search.outcome == Outcome.FOUND,
    }


def figures_of_live(blend: BlendName, group: Group) -> dict[str, float]:
    """Coverage and diversity of what is served, to set limits by."""
    held, live = held_for(blend, group), live_of(blend, group)
    if isinstance(held, Unmeasured) or live is None:
        return {}
    summary = held.summary(PanelSettings.of(Values.of(live)))
    return {"coverage": summary[COVERAGE].value, "diversity": summary[DIVERSITY].value}
