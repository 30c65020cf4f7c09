"""Context of a run, which every stage is given."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from recommendations.engine.evaluation.split import Windows
from recommendations.models import ModelVersion, Run
from recommendations.store.models.model import days
from recommendations.store.models.runs import StageReport, version_of
from recommendations.store.models.training_data import newest_event
from recommendations.terms import Cut


class NotEnoughDataError(Exception):
    """There is too little to learn from; the message says what is missing and what to do."""


@dataclass(frozen=True, kw_only=True)
class RunContext:
    run: Run
    version: ModelVersion
    cut: Cut | None
    windows: Windows
    report: StageReport

    @classmethod
    def of(cls, run: Run, *, cut: Cut | None, report: StageReport) -> Self:
        version = version_of(run)
        return cls(
            run=run,
            version=version,
            cut=cut,
            windows=_stored_windows(version) or _windows(run.now),
            report=report,
        )

    @property
    def the_cut(self) -> Cut:
        if self.cut is None:
            raise ValueError("this stage works on one cut, and none was given")
        return self.cut


def _windows(now: datetime) -> Windows:
    newest = newest_event(until=now)
    if newest is None:
        raise NotEnoughDataError("There are no events yet. Import some (manage.py import_events) or send them.")
    return Windows.up_to(days(newest), now=days(now))


def _stored_windows(version: ModelVersion) -> Windows | None:
    """Windows that the first stage fixed: events that arrive while a run runs, or rests, do not move them."""
    if not version.windows:
        return None
    end, live = (
        days(datetime.fromisoformat(text)) for text in (version.windows["end"], version.windows["cuts"]["live"])
    )
    return Windows(end=end, live=live, days=version.windows["days"])
