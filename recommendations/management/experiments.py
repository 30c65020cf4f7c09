"""Experiments as commands name them and print them."""

from collections.abc import Sequence

from django.core.management.base import CommandError

from recommendations.models import Experiment
from recommendations.services.experiments.bandit_verdicts import bandit_verdicts
from recommendations.terms import ExperimentKind
from recommendations.wording.experiments import verdict_text


def experiment_of(text: str) -> Experiment:
    """The experiment of a number or a code. Raises CommandError with what would help."""
    number = text.removeprefix("e")
    stored = Experiment.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if stored is None:
        raise CommandError(f"There is no experiment {text!r}: `experiment list` has them all.")
    return stored


def verdicts_of(experiments: Sequence[Experiment]) -> dict[int, str]:
    """The last decision on each as a sentence, by its key; a dash before there is one."""
    of_bandits = bandit_verdicts([each for each in experiments if each.kind == ExperimentKind.BANDIT])
    return {each.pk: of_bandits.get(each.pk) or _decided(each) for each in experiments}


def _decided(experiment: Experiment) -> str:
    decision, kind = experiment.decision, experiment.kind
    return verdict_text(decision["code"], decision["facts"], primary=experiment.primary, kind=kind) if decision else "–"
