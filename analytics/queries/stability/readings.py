"""What moved with each run: interests, popularity, and the lists of a sample of customers."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.charts.stability import ChurnBar, ShiftBar
from analytics.templatetags.words import label
from recommendations.models import StabilityReading
from recommendations.wording import watch_labels

RUNS = 14


@dataclass(frozen=True, kw_only=True)
class ReadingLine:
    """A reading with its bars; ``churn`` None where there was nothing to compare with."""

    reading: StabilityReading
    shifts: Sequence[ShiftBar]
    churn: ChurnBar | None


def readings() -> list[ReadingLine]:
    """The last two weeks of daily runs, the newest first."""
    rows = StabilityReading.objects.select_related("version", "before").order_by("-at")[:RUNS]
    return [_line(row) for row in rows]


def _line(row: StabilityReading) -> ReadingLine:
    shifts = [
        ShiftBar(words=label(watch_labels.RATES, rate), psi=facts["psi"], noise=facts["noise"])
        for rate, facts in row.shifts.items()
    ]
    churn = ChurnBar(words=str(row.version), parts=row.churn["parts"]) if row.churn else None
    return ReadingLine(reading=row, shifts=shifts, churn=churn)
