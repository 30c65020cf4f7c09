"""One run of the loop as of a moment, or the rest of one whose process died: what ``cluster_run.py`` runs twice.

``run_at MOMENT PART_ACTS`` prints as JSON how the run ended, and every array of its version with its SHA-256.
"""

import json
import sys
import time
from datetime import datetime
from typing import Any

import django

django.setup()

from django.utils import timezone  # noqa: E402

from recommendations.loop import part_trainer  # noqa: E402
from recommendations.models import Artefact, Run  # noqa: E402
from recommendations.services.operations.runs import start_run  # noqa: E402
from recommendations.services.watches.after_run import run_loop  # noqa: E402
from recommendations.terms import Stage  # noqa: E402

TRIES, EVERY_SECONDS = 120, 1.0  # until a run counts as one whose process died


def gone_round(moment: datetime) -> Run:
    run = Run.objects.unfinished().first() or start_run(by=None, now=moment, in_worker=False)
    for _ in range(TRIES):
        if run_loop(run.pk, clock=timezone.now) is not None:
            break
        time.sleep(EVERY_SECONDS)
    run.refresh_from_db()
    return run


def told(run: Run) -> dict[str, Any]:
    arrays = Artefact.objects.filter(version__run=run)
    trained = {str(row): row.counts for row in run.stages.filter(stage=Stage.TRAIN)}
    names = ("parts", "parts_again", "part_place", "part_hosts", "part_cpu_seconds")
    return {
        "status": run.status,
        "message": run.message,
        "tries": run.tries,
        "train": {row: {name: counts.get(name) for name in names} for row, counts in trained.items()},
        "arrays": {f"{one.cut}/{one.name}": one.sha256 for one in arrays},
    }


if __name__ == "__main__":
    part_trainer.PART_ACTS = int(sys.argv[2])
    sys.stdout.write(json.dumps(told(gone_round(datetime.fromisoformat(sys.argv[1])))) + "\n")
