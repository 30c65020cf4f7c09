"""Experiments from the command line: list them, plan one, check it on past visitors, stop one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recommendations.management.experiments import experiment_of, verdicts_of
from recommendations.models import Experiment
from recommendations.services.experiments import lifecycle
from recommendations.services.experiments.aa_check import aa_check_of
from recommendations.services.experiments.plan import METRICS, plan
from recommendations.services.experiments.states import NotInStateError
from recommendations.terms import ExperimentKind, Metric
from recommendations.wording.plans import plan_text, refusal_text


class Command(BaseCommand):
    help = "Lists, plans, checks and stops experiments. Drafts are written and started in the dashboard."

    def add_arguments(self, parser: ArgumentParser) -> None:
        does = parser.add_subparsers(dest="does", required=True)
        does.add_parser("list", help="code, state, kind, name and verdict of each, the newest first")
        for name, words in (
            ("plan", "how long it takes until its smallest lift shows, by the last four weeks"),
            ("aa", "whether past visitors, split by hundreds of salts, look alike"),
            ("stop", "end it: everybody gets what is live"),
        ):
            does.add_parser(name, help=words).add_argument("experiment", help="its number, or e and the number")

    def handle(self, *_args: Any, does: str, **options: Any) -> None:
        if does == "list":
            self._list()
            return
        stored = experiment_of(options["experiment"])
        if stored.simulated:
            raise CommandError(f"{stored.code} is practice: nobody real is in it.")
        {"plan": self._plan, "aa": self._aa, "stop": self._stop}[does](stored)

    def _list(self) -> None:
        rows = list(Experiment.objects.order_by("-pk"))
        verdicts = verdicts_of(rows)
        for stored in rows:
            kind = f"{stored.kind} (simulated)" if stored.simulated else stored.kind
            self.stdout.write("\t".join([stored.code, stored.status, kind, stored.name, verdicts[stored.pk]]))

    def _plan(self, stored: Experiment) -> None:
        metric = Metric(stored.primary) if stored.primary in METRICS else Metric.REVENUE
        planned = plan(
            _placements(stored, lacks="it learns as it goes, and has no plan"), segments=stored.segments,
            signed_in=stored.signed_in, metric=metric,
            smallest=stored.smallest_lift, arms=stored.arms.count(), traffic=stored.traffic, now=timezone.now(),
        )  # fmt: skip
        if planned.refusal is not None:
            raise CommandError(refusal_text(planned.refusal, planned.facts))
        facts = {"smallest": stored.smallest_lift, "traffic": stored.traffic}
        self.stdout.write(plan_text(planned.days or 0, metric=metric, **facts))
        for day, lift in planned.metrics[metric].at_looks.items():
            self.stdout.write(f"after {day} days\t{lift:.1%} and more of {metric}")

    def _aa(self, stored: Experiment) -> None:
        metric = Metric(stored.primary) if stored.primary in METRICS else Metric.REVENUE
        check = aa_check_of(
            _placements(stored, lacks="its shares change by the night, so that past visitors cannot be split by them"),
            segments=stored.segments, signed_in=stored.signed_in, metric=metric, now=timezone.now(),
        )  # fmt: skip
        if check.share is None:
            raise CommandError("Too little has happened: a hundred of each half have to buy (or click) in a week.")
        verdict = "the numbers behave" if check.is_even else "too many: what people spend is too uneven, cap it lower"
        self.stdout.write(f"{check.visitors:,} visitors, {check.splits} splits, {check.share:.1%} differ: {verdict}")

    def _stop(self, stored: Experiment) -> None:
        try:
            lifecycle.stop(experiment=stored, by=None, now=timezone.now())
        except NotInStateError as error:
            raise CommandError(f"{stored.code} is {error.current.status}: only what runs can be stopped.") from error
        self.stdout.write(f"{stored.code} is stopped: everybody gets what is live.")


def _placements(stored: Experiment, *, lacks: str) -> list[str]:
    """Placements of a test. Raises CommandError of a bandit, with what it ``lacks`` for what was asked."""
    if stored.kind == ExperimentKind.BANDIT:
        raise CommandError(f"{stored.code} is a bandit: {lacks}.")
    return list(stored.placements.values_list("name", flat=True))
