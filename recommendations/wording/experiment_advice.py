"""What to do next about an experiment, where its verdict leaves that open: only what is possible in its state."""

from django.utils.translation import gettext, pgettext

from recommendations.terms import ExperimentStatus
from recommendations.wording.metrics import percent_text

CLEAR = 0.95
"""Chance to be the best from which a version of a bandit is called so."""


def with_advice(text: str, advice: str) -> str:
    """A verdict followed by what to do next, where there is something."""
    if not advice:
        return text
    return pgettext("a verdict and what to do", "%(text)s. %(advice)s") % {"text": text, "advice": advice}


def advice_undecided(status: str, *, simulated: bool, widens: bool) -> str:
    """What is left after the planned days of a test that came to nothing; ``widens``: more visitors can take part."""
    if status == ExperimentStatus.SHIPPED:
        return ""
    if simulated:
        return gettext("In the shop you would give it more days, take more of the visitors, or keep A")
    if status == ExperimentStatus.RUNNING:
        wider = gettext("Give it more days, take more of the visitors, or keep A")
        return wider if widens else gettext("Give it more days, or keep A")
    if status == ExperimentStatus.PAUSED:
        return gettext("Resume it and give it more days, or keep A")
    return gettext("Keep A, or start a copy that runs longer or takes more of the visitors")


def advice_on_bandit(status: str, *, simulated: bool, best: str, chance: float) -> str:
    """What to do about a bandit whose version ``best``, a letter, has the highest chance to be the best."""
    if status == ExperimentStatus.SHIPPED:
        return ""
    words = {"arm": best, "chance": percent_text(chance)}
    if chance < CLEAR:
        return _unclear(status, simulated=simulated)
    if best == "A":
        return gettext("A is the best with chance %(chance)s: keep it") % words
    if simulated:
        return gettext("%(arm)s is the best with chance %(chance)s: in the shop you could publish it") % words
    return gettext("%(arm)s is the best with chance %(chance)s: publish it when you like") % words


def advice_on_last(last: str) -> str:
    """What to do about a bandit under way whose other versions are all out; ``last`` is a letter."""
    if last == "A":
        return gettext("Nothing is left to compare: stop it, and keep A")
    return gettext("Nothing is left to compare: publish %(arm)s, or stop it and keep A") % {"arm": last}


def _unclear(status: str, *, simulated: bool) -> str:
    if simulated:
        return gettext(
            "No version is clearly the best: the shares still follow chance. In the shop you would go on, or keep A"
        )
    if status == ExperimentStatus.RUNNING:
        return gettext("No version is clearly the best yet: the shares still follow chance. Go on, or keep A")
    if status == ExperimentStatus.PAUSED:
        return gettext("No version is clearly the best yet: the shares still follow chance. Resume it, or keep A")
    return gettext("No version was clearly the best: the shares still followed chance. Keep A, or start a copy")
