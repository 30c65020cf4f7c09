"""What a visit makes of a known customer's score, in words beside the weights that it stands beside."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from recommendations.engine.ranking.visit_share import SHARE
from recommendations.terms import TASKS, BlendName
from recommendations.wording.labels import BLENDS
from recommendations.wording.metrics import percent_text


def visit_texts(blend: BlendName, learned: Mapping[str, Any]) -> list[str]:
    """A sentence for the blend, or for each that a visit stands beside where it is that of visits; else nothing.

    ``learned`` is what the live version learned, by blend.
    """
    beside = list(TASKS.values()) if blend is BlendName.SESSION else [blend]
    if not set(beside) <= set(TASKS.values()):
        return []
    if blend is BlendName.SESSION:
        names = dict(BLENDS)
        return [_("%(blend)s: %(text)s") % {"blend": names[one], "text": _text(learned.get(one))} for one in beside]
    return [_text(learned.get(blend))]


def _text(learned: Mapping[str, Any] | None) -> str:
    share, usual = learned["share"] if learned else SHARE, percent_text(SHARE)
    said = _("For people with a history, a visit makes up %(share)s of the score.") % {"share": percent_text(share)}
    if learned is None:
        return _both(said, _("That is the usual share; the next run learns one."))
    words = {"visits": f"{learned['visits']:,}", "usual": usual}
    if learned["gain"] is None:
        why = _("That is the usual share: the tuning window has %(visits)s visits, too few to learn from.")
    elif share == SHARE:
        why = _("That is the usual share: on %(visits)s visits of the tuning window no other was measurably better.")
    else:
        base = dict(learned["ndcg"])[SHARE] or 1.0
        value, low, high = (percent_text(each / base, signed=True) for each in learned["gain"])
        words |= {"value": value, "low": low, "high": high}
        why = _(
            "Learned on %(visits)s visits of the tuning window: what comes later in a visit is predicted better by "
            "%(value)s (95%% interval %(low)s to %(high)s) than with the usual %(usual)s."
        )
    return _both(said, why % words)


def _both(said: str, why: str) -> str:
    return _("%(said)s %(why)s") % {"said": said, "why": why}
