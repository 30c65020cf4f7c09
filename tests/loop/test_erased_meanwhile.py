"""A run that read the events of somebody who was erased since does not bring them back."""

import numpy as np
import pytest

from recommendations.loop.adjust import adjust_weights_and_go_live
from recommendations.loop.context import RunContext
from recommendations.models import Customer, ModelVersion, Run
from recommendations.store import jobs
from recommendations.store.models import runs
from recommendations.store.models.model import load_model
from recommendations.store.models.scrubbing import entries_of
from recommendations.terms import Cut, Stage, VersionStatus
from tests.trained import NOW


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
def test_the_last_stage_takes_out_who_was_erased_since_the_first() -> None:
    version = ModelVersion.objects.get()
    gone = load_model(version.pk, Cut.LIVE).users.ids[[3, 20]]
    ModelVersion.objects.update(status=VersionStatus.BUILDING, is_live=False)
    Run.objects.update(finished_at=None)
    Customer.objects.filter(pk__in=gone.tolist()).update(erased_at=NOW)
    run = Run.objects.get()
    row = run.stages.get(stage=Stage.ADJUST)
    report = runs.StageReport(run=run, row=row, n_stages=run.stages.count(), report=jobs.Reporter(run))

    adjust_weights_and_go_live(RunContext.of(run, cut=None, report=report))

    live = load_model(ModelVersion.objects.live().get().pk, Cut.LIVE)
    assert live.edition == 1
    assert len(live.users) == 58
    assert not np.isin(gone, entries_of(version.pk)).any()
