"""What moved with each run: interests, popularity, and the lists of a sample of customers."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from analytics.charts.stability import ChurnBar, ShiftBar
from analytics.templatetags.words import label
from recommendations.models import StabilityReading
from recommendations.services.watches.shifts import alarm_limit
from recommendations.watch_terms import ChurnPart
from recommendations.wording import watch_labels
from recommendations.wording.metrics import percent_text

RUNS = 14
LEAST = 0.00005
"""Share of the lists that is written as 0."""


@dataclass(frozen=True, kw_only=True)
class ReadingLine:
    """A reading with its bars; ``churn`` None where there was nothing to compare with."""

    reading: StabilityReading
    shifts: Sequence[ShiftBar]
    churn: ChurnBar | None
    words: str = ""  # of the churn


def readings() -> list[ReadingLine]:
    """The last two weeks of daily runs, the newest first."""
    rows = StabilityReading.objects.select_related("version", "before").order_by("-at")[:RUNS]
    return [_line(row) for row in rows]


def _line(row: StabilityReading) -> ReadingLine:
    shifts = [
        ShiftBar(
            words=label(watch_labels.RATES, rate),
            psi=facts["psi"],
            noise=facts["noise"],
            limit=alarm_limit(facts["noise"]),
        )
        for rate, facts in row.shifts.items()
    ]
    if not row.churn:
        return ReadingLine(reading=row, shifts=shifts, churn=None)
    churn = ChurnBar(words=str(row.version), parts=row.churn["parts"], noise=row.churn.get("noise"))
    words = _churn_words(row.churn["whole"], churn, resettled=row.churn.get("settings", False))
    return ReadingLine(reading=row, shifts=shifts, churn=churn, words=words)


def _churn_words(whole: float, churn: ChurnBar, *, resettled: bool) -> str:
    """How much the lists changed and what for, and how much of that chance alone would have changed."""
    words = {"whole": percent_text(whole)}
    if whole < LEAST:
        text = _("The last run changed no list.")
    elif churn.noise is not None and whole <= churn.noise:
        return _("With the last run lists changed by %(whole)s, no more than from chance alone (%(noise)s).") % {
            **words, "noise": percent_text(churn.noise),
        }  # fmt: skip
    else:
        part = max(churn.parts, key=lambda code: churn.parts[code])
        both = part == ChurnPart.MODEL and resettled and ChurnPart.SETTINGS not in churn.parts
        words["cause"] = _("new data and new settings") if both else label(watch_labels.CHURN_CAUSES, part)
        text = _("With the last run lists changed by %(whole)s, most of that because of %(cause)s.") % words
    return f"{text} {_chance_words(churn.noise)}"


def _chance_words(noise: float | None) -> str:
    if noise is None:
        return _("What would change from chance alone is not known: learning everything twice would take too long.")
    if noise < LEAST:
        return _("From chance alone nothing would change.")
    return _("From chance alone they would change by %(noise)s.") % {"noise": percent_text(noise)}
