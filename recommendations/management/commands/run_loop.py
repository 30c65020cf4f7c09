"""One run of the loop in this process, with a progress line per stage."""

import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError
from django.utils import timezone
from psycopg.errors import UndefinedColumn, UndefinedTable

from recommendations.management.file_import import MIGRATE_FIRST
from recommendations.models import Run, RunStage
from recommendations.services.operations.patience import patient_connections
from recommendations.services.operations.runs import RunInProgressError, start_run
from recommendations.services.watches.after_run import run_loop
from recommendations.terms import RunStatus

TAKEN_WITHIN = 0.3  # seconds in which it is known whether the run is ours


class Command(BaseCommand):
    help = "Goes once round the loop: collect, preprocess, interests, train, evaluate, adjust."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=0, help="of everything that draws (default 0)")

    def handle(self, *_args: Any, seed: int, **_options: Any) -> None:
        try:
            with patient_connections():
                self._run(seed=seed)
        except ProgrammingError as error:
            if isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
                raise CommandError(str(MIGRATE_FIRST)) from error
            raise

    def _run(self, *, seed: int) -> None:
        try:
            run = start_run(by=None, now=timezone.now(), seed=seed, in_worker=False)
        except RunInProgressError as error:
            run = error.run  # its process may have died, so it goes on here; a run that runs is left alone
        elsewhere = threading.Event()
        watcher = threading.Thread(target=self._follow, args=[run, elsewhere], daemon=True)
        watcher.start()
        status = run_loop(run.pk, clock=timezone.now)
        if status is None:
            elsewhere.set()
        run.refresh_from_db()
        watcher.join(timeout=3)
        if status is None and run.status == RunStatus.RUNNING:
            raise CommandError(f"Run {run} runs elsewhere. Wait for it, or cancel it on the page Runs.")
        if status is not RunStatus.SUCCEEDED:
            raise CommandError(f"The run ended as {run.status}. {run.message}")
        version = run.model_version
        what = "is live" if version.is_live else "is ready, and not live: it measured worse, or was found wanting"
        self.stdout.write(self.style.SUCCESS(f"Model {version} {what}."))

    def _follow(self, run: Run, elsewhere: threading.Event) -> None:
        """Print a line for each stage that has finished, and the log as it grows, where the run is ours."""
        if elsewhere.wait(TAKEN_WITHIN):
            return
        printed, logged = set[int](), 0
        while True:
            ended = not Run.objects.unfinished().filter(pk=run.pk).exists()
            lines = [(line.at, line.pk, f"    {line.text}") for line in run.log.filter(pk__gt=logged)]
            logged = max([logged, *(pk for _, pk, _ in lines)])
            finished = run.stages.filter(status=RunStatus.SUCCEEDED).exclude(pk__in=printed)
            lines += [(row.finished_at or run.created_at, row.pk, _of_stage(row)) for row in finished]
            printed.update(row.pk for row in finished)
            for _at, _pk, text in sorted(lines):
                self.stdout.write(text)
            if ended:
                return
            time.sleep(0.5)


def _of_stage(row: RunStage) -> str:
    seconds = (row.finished_at - row.started_at).total_seconds() if row.finished_at and row.started_at else 0
    return f"  {row.get_stage_display():<12} {row.get_cut_display():<8} {seconds:6.1f} s"
