"""How good the lists are where little is known, as the live version's run measured it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.charts.marks import MeasuredRow
from analytics.charts.quality import FigureHistory
from analytics.queries.quality.leader_table import HYBRID
from analytics.templatetags.display import number, signed
from analytics.templatetags.words import measured_label
from recommendations.models import Evaluation

POPULAR = "popular"
BANDS: Mapping[str, Promise] = {
    "0": gettext_lazy("No act"),
    "1": gettext_lazy("1 act"),
    "2-5": gettext_lazy("2–5 acts"),
    "6-20": gettext_lazy("6–20 acts"),
    "more": gettext_lazy("More than 20"),
}
FEWEST: Mapping[str, int] = {"0": 0, "1": 1, "2-5": 2, "6-20": 6, "more": 21}
"""Acts of a customer with the fewest in each band."""


@dataclass(frozen=True, kw_only=True)
class KnownBand:
    """NDCG@10 of the customers of whom so much is known; ``ahead`` of what everybody buys, paired."""

    band: str
    people: int
    blend: MeasuredRow
    popular: MeasuredRow
    ahead: MeasuredRow

    @property
    def words(self) -> str:
        return str(BANDS.get(self.band, self.band))


@dataclass(frozen=True, kw_only=True)
class LittleKnown:
    """The bands in the order of acts, and how many customers were left out of training for them."""

    bands: Sequence[KnownBand]
    left_out: int

    @property
    def sentence(self) -> str:
        """The number of acts from which on the lists are better than what everybody buys."""
        first = next((each for each in self.bands if each.ahead.low > 0), None)
        if first is None:
            return _("However much is known, the lists are not surely better than what everybody buys.")
        ahead = {"ahead": signed(first.ahead.value, 3), "acts": FEWEST[first.band]}
        if first.band == "1":
            return _("From the first act on the lists are better than what everybody buys: %(ahead)s NDCG@10.") % ahead
        return _("From %(acts)d acts on the lists are better than what everybody buys: %(ahead)s NDCG@10.") % ahead

    @property
    def lines(self) -> list[FigureHistory]:
        """A line of each list over the bands."""
        points = {
            HYBRID: [(each.words, each.blend) for each in self.bands],
            POPULAR: [(each.words, each.popular) for each in self.bands],
        }
        return [FigureHistory(name=name, words=measured_label(name), points=own) for name, own in points.items()]

    @property
    def people_words(self) -> str:
        text = ngettext("%(n)s customer", "%(n)s customers", self.left_out)
        return text % {"n": number(self.left_out)}


def little_known(evaluation: Evaluation) -> LittleKnown | None:
    """What was measured by acts known; None where the run measured nothing of it."""
    stored = evaluation.acts_known
    if not stored.get("bands"):
        return None
    return LittleKnown(bands=[_band(each) for each in stored["bands"]], left_out=stored["left_out"])


def _band(stored: Mapping[str, Any]) -> KnownBand:
    rows = {
        name: MeasuredRow(name=row, words=measured_label(row), **stored[name])
        for name, row in (("blend", HYBRID), ("popular", POPULAR), ("ahead", HYBRID))
    }
    return KnownBand(band=stored["band"], people=stored["people"], **rows)
