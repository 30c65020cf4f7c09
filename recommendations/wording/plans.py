"""Plans of experiments in words: how long it takes, why it cannot be planned, and whether the shop's numbers behave."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext, pgettext

from recommendations.experiment_terms import PlanRefusal
from recommendations.wording.metrics import metric_noun, metric_text, number_text, percent_text

type Facts = Mapping[str, Any]
LITTLE = 0.02  # of the scatter, below which past spending is said not to help


def plan_text(days: int, *, metric: str, smallest: float, traffic: float) -> str:
    """A plan as one sentence."""
    facts = {
        "days": ngettext("%(n)d day", "%(n)d days", days) % {"n": days}, "metric": metric_noun(metric),
        "lift": percent_text(smallest), "traffic": percent_text(traffic),
    }  # fmt: skip
    return gettext(
        "About %(days)s with %(traffic)s of the traffic: then a lift of %(lift)s in %(metric)s shows in four of five "
        "cases."
    ) % facts  # fmt: skip


def refusal_text(code: str, facts: Facts) -> str:
    """Why there is no plan, by its ``PlanRefusal``, and what would help."""
    match PlanRefusal(code):
        case PlanRefusal.NOTHING_KNOWN:
            return gettext(
                "Nothing is known yet: nobody was answered at these placements in the last four weeks. Choose others, "
                "or ask again when they are in use."
            )
        case PlanRefusal.TOO_NEW:
            template = ngettext(
                "Visitors are recorded for too few days (%(days)d): ask again in %(more)d day.",
                "Visitors are recorded for too few days (%(days)d): ask again in %(more)d days.",
                facts["more"],
            )
            return template % facts
        case PlanRefusal.NOTHING_HAPPENED:
            text = gettext(
                "Nothing can be said of %(metric)s: in the last four weeks it happened to nobody, or to everybody."
            )
            return _with_help(text % {"metric": metric_noun(facts["metric"])}, _clicks(facts))
        case PlanRefusal.TOO_LONG:
            return _with_help(_too_long(facts), _remedies(facts))


def aa_text(share: float | None, *, splits: int, is_even: bool) -> str:
    """What an A/A test on past visitors says of the shop's numbers."""
    if share is None:
        return gettext("Too few visitors bought or clicked for a trial without a change.")
    facts = {"splits": number_text(splits, 0), "share": percent_text(share)}
    text = (
        gettext("Split %(splits)s times without any change, past visitors differed in %(share)s of the cases") % facts
    )
    if is_even:
        return gettext("%(text)s: the numbers behave.") % {"text": text}
    return gettext("%(text)s: spending is too uneven. Lower the cap.") % {"text": text}


def past_spending_text(explained: float) -> str:
    """What spending before the experiment is worth, as a factor of visitors."""
    if not LITTLE <= explained < 1:
        return gettext("Past spending explains next to nothing of the scatter: it does not help.")
    facts = {"share": percent_text(explained), "times": number_text(1 / (1 - explained), 1)}
    return gettext("Past spending explains %(share)s of the scatter: worth %(times)s times the visitors.") % facts


def cap_text(cap: float, capped: int, *, metric: str) -> str:
    """How much of a person's spending counts at most, and how many spent more."""
    template = ngettext(
        "Spending above %(cap)s counts as %(cap)s: %(n)s person.",
        "Spending above %(cap)s counts as %(cap)s: %(n)s people.",
        capped,
    )
    return template % {"cap": metric_text(metric, cap), "n": number_text(capped, 0)}


def _too_long(facts: Facts) -> str:
    days = facts["days"]
    if days is None:
        return gettext("Not with this traffic: new visitors no longer come.")
    words = {"days": number_text(days, 0), "most": number_text(facts["most"], 0)}
    return gettext("Not with this traffic: it would take about %(days)s days, and %(most)s are the most.") % words


def _remedies(facts: Facts) -> list[str]:
    remedies = _clicks(facts)
    if facts["traffic"] < 1:
        remedies.append(gettext("more of the traffic"))
    if facts["arms"] > 2:
        remedies.append(gettext("fewer arms"))
    return [*remedies, gettext("a bigger change")]


def _clicks(facts: Facts) -> list[str]:
    days = facts["click_days"]
    if days is None:
        return []
    template = ngettext(
        "clicks as the primary metric (about %(n)d day)", "clicks as the primary metric (about %(n)d days)", days
    )
    return [template % {"n": days}]


def _with_help(text: str, remedies: list[str]) -> str:
    if not remedies:
        return text
    joined = pgettext("between remedies", ", or ").join(remedies)
    return gettext("%(text)s Take %(remedies)s.") % {"text": text, "remedies": joined}
