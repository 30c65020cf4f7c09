"""Practice from the command line: simulated visitors go through a copy of a draft, in this process."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recommendations.management.experiments import experiment_of, verdicts_of
from recommendations.models import ArmShare, Experiment, PracticeRun
from recommendations.practice_terms import PracticeEffect
from recommendations.services.experiments import practice
from recommendations.services.experiments.drafts import StaleExperimentError
from recommendations.terms import ExperimentKind, RunStatus


class Command(BaseCommand):
    help = "Lets simulated visitors go through a copy of a draft of an experiment, and prints the verdict. Demo only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("draft", help="number of the draft, as in its address, or e and the number")
        parser.add_argument(
            "--effect", choices=[str(effect) for effect in PracticeEffect], default=str(PracticeEffect.BETTER),
            help="what is true of B (default better)",
        )  # fmt: skip
        parser.add_argument("--seed", type=int, default=practice.FIRST_SEED, help="of the visitors (default 1)")

    def handle(self, *_args: Any, draft: str, effect: str, seed: int, **_options: Any) -> None:
        if seed < 1:
            raise CommandError("--seed is a whole number from 1 on.")
        stored = experiment_of(draft)
        try:
            run = practice.practise(draft=stored, effect=PracticeEffect(effect), seed=seed, by=None, now=timezone.now())
        except practice.PracticeIsOffError as error:
            raise CommandError("Practice is for the demo only: set RECSITE_DEMO=1.") from error
        except StaleExperimentError as error:
            raise CommandError(f"{stored.code} is {stored.status}: only a draft can be practised.") from error
        status = practice.work(run.pk)
        run.refresh_from_db()
        if status is None and run.unfinished:
            raise CommandError(f"A worker is at it: look at e{run.experiment_id} under Experiments.")
        if run.status != RunStatus.SUCCEEDED:
            raise CommandError(run.message or "There are no lists to try: let the shop learn once (run_loop).")
        self._print(Experiment.objects.get(pk=run.experiment_id), run)

    def _print(self, own: Experiment, run: PracticeRun) -> None:
        self.stdout.write(f"{own.code}\tsimulated\t{verdicts_of([own])[own.pk]}")
        if own.kind == ExperimentKind.BANDIT:
            last = ArmShare.objects.filter(arm__experiment=own, segment=None).order_by("-day", "arm__position")
            for row in last.select_related("arm")[: own.arms.count()]:
                self.stdout.write(f"{row.arm.letter}\t{row.share:.1%} of the visitors")
        for metric, lifts in run.truth["lifts"].items():
            self.stdout.write("\t".join(["in truth", metric, *(f"{lift:+.1%}" for lift in lifts)]))
