"""Experiments as commands name them and print them."""

from django.core.management.base import CommandError

from recommendations.models import Experiment
from recommendations.wording.experiments import verdict_text


def experiment_of(text: str) -> Experiment:
    """The experiment of a number or a code. Raises CommandError with what would help."""
    number = text.removeprefix("e")
    stored = Experiment.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if stored is None:
        raise CommandError(f"There is no experiment {text!r}: `experiment list` has them all.")
    return stored


def verdict_of(experiment: Experiment) -> str:
    """The last decision as a sentence; a dash before there is one."""
    decision, kind = experiment.decision, experiment.kind
    return verdict_text(decision["code"], decision["facts"], primary=experiment.primary, kind=kind) if decision else "–"
