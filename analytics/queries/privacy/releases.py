"""Releases as their pages show them: the state of each, and the ledger of the budget as a bar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy

from analytics.templatetags.display import day, number, share
from analytics.templatetags.words import label
from recommendations.models import Release
from recommendations.privacy_terms import BOUNDS, ReleaseDomain
from recommendations.services.releases.asking import release_rules
from recommendations.services.releases.ledger import YEAR, BudgetSpentError, ledger, require_budget
from recommendations.services.releases.making import missing_noise
from recommendations.wording.privacy import labels as privacy_labels

PER_PAGE, ROWS = 6, 25


class ReleaseState(StrEnum):
    """What is said of a release."""

    WAITING = "waiting"
    FAILED = "failed"
    NOISE = "noise"
    MADE = "made"
    PUBLIC = "public"
    WITHDRAWN = "withdrawn"


STATE_WORDS: Mapping[ReleaseState, Promise] = {
    ReleaseState.WAITING: pgettext_lazy("release", "Being made"),
    ReleaseState.FAILED: pgettext_lazy("release", "Not made"),
    ReleaseState.NOISE: pgettext_lazy("release", "Too few customers"),
    ReleaseState.MADE: pgettext_lazy("release", "Made"),
    ReleaseState.PUBLIC: pgettext_lazy("release", "Published"),
    ReleaseState.WITHDRAWN: pgettext_lazy("release", "Withdrawn"),
}


@dataclass(frozen=True)
class ReleaseView:
    """A release in words."""

    release: Release

    @property
    def state(self) -> ReleaseState:
        release = self.release
        if release.drawn_at is None:
            return ReleaseState.WAITING if release.unfinished else ReleaseState.FAILED
        if not release.enough:
            return ReleaseState.NOISE
        if release.published_at is None:
            return ReleaseState.MADE
        return ReleaseState.PUBLIC if release.is_public else ReleaseState.WITHDRAWN

    @property
    def state_words(self) -> str:
        return str(STATE_WORDS[self.state])

    @property
    def title(self) -> str:
        return title_words(ReleaseDomain(self.release.domain), self.release.weeks)

    @property
    def epsilon(self) -> str:
        return plain(self.release.epsilon)

    @property
    def noise_words(self) -> str:
        """Why nothing is told, and what could be."""
        text = _(
            "Too few customers for this at ε %(epsilon)s: of the numbers told about %(share)s would have been the true "
            "first ones. %(instead)s Its ε is spent all the same: that it is too little was read off the noisy numbers."
        )
        expected = share(self.release.expected["share"])
        return text % {"epsilon": self.epsilon, "share": expected, "instead": self._instead()}

    def _instead(self) -> str:
        """What tells more than this does."""
        if self.release.domain == ReleaseDomain.ITEMS:
            return pgettext("release", "Product types can be told with fewer.")
        if self.release.weeks < max(BOUNDS[ReleaseDomain(self.release.domain)]):
            return pgettext("release", "Four weeks, or a larger ε, tell more.")
        return pgettext("release", "A larger ε tells more.")


@dataclass(frozen=True, kw_only=True)
class SpentPiece:
    """What a release spent, as a piece of the bar, in percent of it."""

    words: str
    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class BudgetBar:
    """The ledger of 365 days: what was spent of the budget; ``frees``: when the oldest of it goes."""

    pieces: list[SpentPiece]
    spent: str
    budget: str
    left: str
    frees: datetime | None


@dataclass(frozen=True, kw_only=True)
class BoundWords:
    """The number of values that a customer counts for in a kind of release, and how far a number is off at ε 1."""

    title: str
    bound: int
    within: int


def bounds() -> list[BoundWords]:
    return [
        BoundWords(title=title_words(rule.domain, rule.weeks), bound=rule.bound, within=rule.within)
        for rule in release_rules()
    ]


def title_words(domain: ReleaseDomain, weeks: int) -> str:
    text = ngettext("%(domain)s of %(weeks)s week", "%(domain)s of %(weeks)s weeks", weeks)
    return text % {"domain": label(privacy_labels.RELEASE_DOMAINS, domain), "weeks": number(weeks)}


def releases(*, page: int) -> tuple[Page[Any], list[ReleaseView]]:
    shown = Paginator(Release.objects.select_related("started_by"), PER_PAGE).get_page(page)
    return shown, [ReleaseView(each) for each in shown]


def budget_bar(*, now: datetime) -> BudgetBar:
    book = ledger(now=now)
    whole = max(book.budget, book.spent, Decimal(1))
    pieces, x = list[SpentPiece](), Decimal(0)
    for line in book.lines:
        width = 100 * line.epsilon / whole
        words = f"{ReleaseView(line.release).title}, {day(line.at)}: ε {plain(line.epsilon)}"
        pieces.append(SpentPiece(words=words, x=float(x), width=float(width)))
        x += width
    return BudgetBar(
        pieces=pieces, spent=plain(book.spent), budget=plain(book.budget), left=plain(book.left),
        frees=book.lines[0].at + YEAR if book.lines else None,
    )  # fmt: skip


def spent_words(error: BudgetSpentError) -> str:
    """Why a release is refused, and from when on it may be made."""
    if error.free_at is None:
        return _("ε %(epsilon)s is more than the budget of a year.") % {"epsilon": plain(error.epsilon)}
    text = _("Too much of the budget is spent for ε %(epsilon)s. It may be made from %(when)s on.")
    return text % {"epsilon": plain(error.epsilon), "when": day(error.free_at)}


def failure_words(release: Release, *, now: datetime) -> str:
    """Why a release was not made, as it looks now; the worker's own words where nothing is in the way any more."""
    if missing_noise() is not None:
        return _("OpenDP, which draws the noise, is not installed.")
    try:
        require_budget(release.epsilon, now=now)
    except BudgetSpentError as error:
        return spent_words(error)
    return release.message


def plain(value: Decimal) -> str:
    """A number with as many decimals as it has."""
    return number(float(value), max(0, -int(value.normalize().as_tuple().exponent)))
