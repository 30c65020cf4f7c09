"""Why past answers cannot tell what a draft would have earned, with the figure and what would help."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from analytics.templatetags.display import number
from recommendations.engine.experiments.refusal import RefusalCode
from recommendations.serving.past.past_parts import Missing
from recommendations.wording.metrics import percent_text

type Facts = Mapping[str, Any]

LOG_DAYS = 28
"""How far back past answers are asked: what would take longer never comes together."""


def refusal_text(code: str, facts: Facts, *, reason: str) -> str:
    """A refusal as a sentence; ``reason`` is why most answers that cannot be made again cannot."""
    few = RefusalCode(code) in {RefusalCode.NO_EXPLORATION, RefusalCode.TOO_FEW}
    if few and (facts["days"] or 0) > LOG_DAYS:
        return _never(facts)
    return _for_now(RefusalCode(code), facts, reason=reason)


def _never(facts: Facts) -> str:
    """What four weeks of answers do not bring at today's traffic, however long somebody waits."""
    if "worth" in facts:
        return _(
            "For this draft these answers are worth %(worth)s of a live test; %(needed)s are needed, more than four "
            "weeks bring at today's traffic. Take a smaller step, or test it live."
        ) % {"worth": number(facts["worth"]), "needed": number(facts["needed"])}
    return _(
        "Every answer was shown as ranked, so nothing is known of another order. At today's traffic even four weeks of "
        "shuffled answers would be too few to judge this draft: test it live."
    )


def _for_now(code: RefusalCode, facts: Facts, *, reason: str) -> str:
    match code:
        case RefusalCode.NO_EXPLORATION if not facts["answers"]:
            return _("Nobody these weights are for has been answered in four weeks. Ask again when some have been.")
        case RefusalCode.NO_EXPLORATION:
            return _(
                "Every answer was shown as ranked, so nothing is known of another order. Let 1 in 10 answers be "
                "shuffled (Exploration, below the sliders) and ask again in %(days)s."
            ) % {"days": _in_days(facts["days"])}
        case RefusalCode.UNMAKEABLE:
            return _("%(share)s of the answers cannot be made again: %(reason)s") % {
                "share": percent_text(facts["share"]), "reason": reason,
            }  # fmt: skip
        case RefusalCode.MOVED:
            return _(
                "Too much has changed since: only %(share)s of the answers are from the last two models. Ask again in "
                "%(days)s."
            ) % {"share": percent_text(facts["share"]), "days": _in_days(facts["days"])}
        case RefusalCode.TOO_FEW:
            return _(
                "For this draft these answers are worth %(worth)s of a live test; %(needed)s are needed: about "
                "%(days)s more of shuffled answers at today's traffic. A smaller step needs fewer."
            ) % {
                "worth": number(facts["worth"]), "needed": number(facts["needed"]), "days": _in_days(facts["days"]),
            }  # fmt: skip
        case RefusalCode.NEVER_SHOWN:
            return _(
                "%(share)s of what this draft shows was never shown to such customers. Test it live, or take a smaller "
                "step."
            ) % {"share": percent_text(facts["share"])}
        case RefusalCode.ORDER_MATTERS:
            return _(
                "Clicks in one list are not independent here: two come together %(times)s times as often as they "
                "would by themselves. So a very different list, %(changed)s of it new, cannot be judged from old ones. "
                "Test it live."
            ) % {"times": number(facts["together"], 2), "changed": percent_text(facts["changed"])}
        case RefusalCode.ONE_CARRIES_ALL:
            return _(
                "One answer would decide this figure: it makes %(share)s of the interval. Wait for more answers, or "
                "test it live."
            ) % {"share": percent_text(facts["share"])}


def lacking_text(lacking: Mapping[str, int]) -> str:
    """Why most of the answers that cannot be made again cannot; empty where all can."""
    if not lacking:
        return ""
    match Missing(max(lacking, key=lambda code: lacking[code])):
        case Missing.MODEL_GONE:
            return _("their model is no longer stored.")
        case Missing.EXPIRED:
            return _("what they were made of is stored for 30 days, or was not stored then.")
        case Missing.ERASED:
            return _("their customers were erased.")
        case Missing.PAGE_INCOMPLETE:
            return _("another list of their page was not stored.")
        case _:
            return _(
                "they do not come out as they were shown: something was changed in a way that the trail does not tell."
            )


def _in_days(days: float | None) -> str:
    if days is None:
        return _("some weeks, once there is traffic")
    whole = max(round(days), 1)
    return npgettext("how long", "%(n)s day", "%(n)s days", whole) % {"n": number(whole)}
