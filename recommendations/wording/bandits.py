"""A bandit in a sentence: what its versions get, what staff set, and what to do next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from recommendations.terms import ExperimentStatus
from recommendations.wording.experiment_advice import advice_on_bandit, advice_on_last
from recommendations.wording.linter import listed
from recommendations.wording.metrics import percent_text

EVEN = 0.0005  # of the visitors, below which two shares are the same
GOES_ON = frozenset({ExperimentStatus.RUNNING, ExperimentStatus.PAUSED})


@dataclass(frozen=True, kw_only=True)
class BanditVersion:
    """A version with its last share, its chance to be the best (None before there is one), and what staff set."""

    letter: str
    share: float
    chance: float | None
    pinned: float | None
    floor: float | None
    is_out: bool


def bandit_sentence(status: str, versions: Sequence[BanditVersion]) -> str:
    """What the version with the largest share gets, and what staff set: "B gets 46% today"."""
    first = max(versions, key=lambda each: each.share)
    words = {"arm": first.letter, "share": percent_text(first.share)}
    running = [each for each in versions if not each.is_out]
    if status not in GOES_ON:
        return _on_end(versions, running, words)
    if len(running) == 1:
        return _("Only %(arm)s is left: it gets all who take part") % {"arm": running[0].letter}
    staff = _set_by_staff(status, running)
    if all(each.chance is None for each in running):
        return _("; ").join(_on_first_days(versions, running, words, staff))
    paused = status == ExperimentStatus.PAUSED
    text = _("%(arm)s gets %(share)s; the shares stay as they are") if paused else _("%(arm)s gets %(share)s today")
    return _("; ").join([text % words, *staff])


def bandit_advice(status: str, versions: Sequence[BanditVersion], *, simulated: bool) -> str:
    """What to do, by the chances of the versions that run; empty before there are any, unless one is left."""
    running = [each for each in versions if not each.is_out]
    if len(running) == 1 and status in GOES_ON:
        return advice_on_last(running[0].letter)
    chances = {each.letter: each.chance for each in running if each.chance is not None}
    if not chances:
        return ""
    best, chance = max(chances.items(), key=lambda pair: pair[1])
    return advice_on_bandit(status, simulated=simulated, best=best, chance=chance)


def _on_end(versions: Sequence[BanditVersion], running: Sequence[BanditVersion], first: Mapping[str, str]) -> str:
    """What they got at the end: none of them the most where it ended before anything was believed."""
    if len(running) > 1 and _are_even(running) and all(each.chance is None for each in running):
        some = _("%(arms)s got the same share to the end") % {"arms": listed([each.letter for each in running])}
        return _("All versions got the same share to the end") if len(running) == len(versions) else some
    return _("%(arm)s got %(share)s at the end") % first


def _on_first_days(
    versions: Sequence[BanditVersion], running: Sequence[BanditVersion], first: Mapping[str, str], staff: Sequence[str]
) -> list[str]:
    """What is true before anything is believed: the shares are even but for what staff set."""
    even = _are_even(running)
    letters = {"arms": listed([each.letter for each in running])}
    if even and not staff:
        some = _("%(arms)s get the same share until the fourth day") % letters
        return [_("All versions get the same share until the fourth day") if len(running) == len(versions) else some]
    today = _("%(arms)s get the same share today") % letters if even else _("%(arm)s gets %(share)s today") % first
    return [today, *staff, _("the rest is even until the fourth day")]


def _are_even(running: Sequence[BanditVersion]) -> bool:
    return all(abs(each.share - running[0].share) < EVEN for each in running)


def _set_by_staff(status: str, running: Sequence[BanditVersion]) -> list[str]:
    """Pins and floors that staff gave the versions that run, and from when they hold where they do not yet."""
    later = _("%(what)s once it goes on") if status == ExperimentStatus.PAUSED else _("%(what)s from tonight on")
    parts = []
    for each in running:
        if each.pinned is not None:
            text, share, holds = _("%(arm)s is pinned to %(share)s"), each.pinned, abs(each.share - each.pinned) < EVEN
        elif each.floor is not None:
            text, share, holds = _("%(arm)s gets at least %(share)s"), each.floor, each.share > each.floor - EVEN
        else:
            continue
        words = text % {"arm": each.letter, "share": percent_text(share)}
        parts.append(words if holds else later % {"what": words})
    return parts
