"""Progress of a start, which hears in return whether it was cancelled."""

import time
from dataclasses import dataclass, field
from math import inf
from typing import Any

from recommendations.experiment_terms import StartStep
from recommendations.models import Experiment
from recommendations.terms import ExperimentStatus

BETWEEN = 0.3  # seconds


class StartCancelledError(Exception):
    """Staff cancelled the start."""


@dataclass
class StartReport:
    """Report of what a worker is at, as ``Experiment.beginning`` has it; a step that goes on is told now and then."""

    experiment: Experiment
    _told: tuple[StartStep | None, float] = field(default=(None, -inf))

    def step(self, step: StartStep, **facts: Any) -> None:
        """Say what is done now. Raises StartCancelledError."""
        before, at = self._told
        clock = time.monotonic()
        if step is before and clock - at < BETWEEN:
            return
        self._told = step, clock
        waiting = Experiment.objects.filter(
            pk=self.experiment.pk, status=ExperimentStatus.STARTING, revision=self.experiment.revision
        )
        if not waiting.update(beginning={"step": step, **facts}):
            raise StartCancelledError
