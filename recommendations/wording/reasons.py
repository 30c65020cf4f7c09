"""Texts of reasons why an item is shown, in the reader's language."""

from collections.abc import Mapping
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recommendations.terms import Reason


def reason_text(code: str, evidence: Mapping[str, str | float]) -> str:
    """A reason in the active language, from nothing but its code and evidence."""
    if code == Reason.BOUGHT_BEFORE:
        return _rhythm(evidence)
    if code == Reason.POPULAR:
        return _popular(float(evidence.get("days", 0)))
    if code == Reason.BEGUN:
        return gettext("Stopped after about %(percent)d%%") % {"percent": round(100 * float(evidence["progress"]))}
    if code == Reason.PROMOTED:
        return _promoted(evidence)
    if code == Reason.SEGMENT and "name" not in evidence:
        return gettext("Popular with customers like you")
    return _plain(get_language(), Reason(code)) % evidence


def why_text(reason: tuple[str, Mapping[str, str | float]] | None, *, placed: bool, raised: bool) -> str:
    """Why an item is shown, as a sentence: its first reason, code and evidence, or that the shop chose it.

    ``placed``: a rule pinned it or brought it in; ``raised``: one moved it up.
    """
    if placed:
        return gettext("Chosen by the shop.")
    if reason is None:
        return gettext("Moved up by the shop.") if raised else gettext("Chosen from all that the shop has.")
    text = {"reason": reason_text(*reason)}
    return (gettext("%(reason)s. Moved up by the shop.") if raised else gettext("%(reason)s.")) % text


@lru_cache(1_000)
def _plain(_language: str | None, code: Reason) -> str:
    return str(_REASONS[code])


_REASONS: Mapping[Reason, Promise] = {
    Reason.BECAUSE_YOU_BOUGHT: _("Because you bought %(title)s"),
    Reason.BECAUSE_YOU_VIEWED: _("Because you viewed %(title)s"),
    Reason.BOUGHT_TOGETHER: _("Often bought with %(title)s"),
    Reason.YOU_BUY_TOGETHER: _("You often buy it with %(title)s"),
    Reason.BOUGHT_NEXT: _("Often bought after %(title)s"),
    Reason.SIMILAR_CUSTOMERS: _("Bought by customers with similar tastes"),
    Reason.SIMILAR_ITEM: _("Similar to %(title)s"),
    Reason.INTEREST: _("You often buy %(name)s"),
    Reason.SEGMENT: _("Popular with customers who like %(name)s"),
    Reason.NEW: _("New in the shop"),
    Reason.FOLLOWING: _("Liked by people you follow"),
    Reason.STATED: _("You told us that you like %(name)s"),
    Reason.FOLLOWED: _("You follow %(name)s"),
    Reason.NEXT_PART: _("Comes after %(title)s"),
}


def _rhythm(evidence: Mapping[str, str | float]) -> str:
    """Rhythm of purchases in words, from ``times``, ``days_since`` and, from the second purchase on, ``every_days``."""
    times, since = round(float(evidence["times"])), round(float(evidence["days_since"]))
    language = get_language()
    often, last = _often(language, times, round(float(evidence.get("every_days", 0)))), _last(language, since)
    return _both(language) % {"often": often, "last": last}


@lru_cache(10_000)
def _often(_language: str | None, times: int, every: int) -> str:
    if every:
        return ngettext("Usually bought every day", "Usually bought every %(days)d days", every) % {"days": every}
    return ngettext("Bought once", "Bought %(times)d times", times) % {"times": times}


@lru_cache(10_000)
def _last(_language: str | None, since: int) -> str:
    if not since:
        return gettext("last bought today")
    return ngettext("last bought %(days)d day ago", "last bought %(days)d days ago", since) % {"days": since}


@lru_cache(100)
def _both(_language: str | None) -> str:
    return gettext("%(often)s; %(last)s")


def _promoted(evidence: Mapping[str, str | float]) -> str:
    """Promotion in words, from ``weeks`` from now, ``mailer`` and ``display``: the one that more of the stores do."""
    weeks = round(float(evidence["weeks"]))
    if float(evidence["mailer"]) >= float(evidence["display"]):
        texts = [gettext("In this week's leaflet"), gettext("In next week's leaflet"), gettext("Soon in the leaflet")]
    else:
        texts = [gettext("On display this week"), gettext("On display next week"), gettext("Soon on display")]
    return texts[min(weeks, 2)]


def _popular(days: float) -> str:
    if 0 < days <= 7:
        return gettext("Popular this week")
    return gettext("Popular this month") if 0 < days <= 31 else gettext("Popular")
