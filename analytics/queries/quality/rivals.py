"""Lists that need no model, and how far the hybrid is ahead of the best of them: what runs on other weeks share."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.queries.quality.headline import Gain
from analytics.queries.quality.leader_table import PERSONAL, POPULAR, RECENT, main
from analytics.templatetags.display import Direction, share
from recommendations.models import Measurement

RIVALS: Mapping[str, Promise] = {
    PERSONAL: gettext_lazy("what they always buy"),
    RECENT: gettext_lazy("recent best sellers"),
    POPULAR: gettext_lazy("best sellers"),
}
"""Each in the middle of a sentence."""


def best_rival(rows: Sequence[Measurement]) -> Measurement | None:
    """The most accurate of the lists that need no model; None where none was measured."""
    return max((row for row in rows if row.name in RIVALS), key=lambda row: main(row)["value"], default=None)


def better_words(gained: Gain, rival: str, *, decimals: int = 0) -> str:
    """How much better or worse than a rival, which is given by its name."""
    words = {"gain": share(abs(gained.value), decimals), "rival": RIVALS[rival]}
    if gained.direction is Direction.WORSE or (gained.interval is None and gained.value < 0):
        return _("%(gain)s less accurate than %(rival)s") % words
    if gained.direction is Direction.UNCLEAR and gained.interval is not None:
        return _("about as accurate as %(rival)s") % words
    return _("%(gain)s more accurate than %(rival)s") % words
