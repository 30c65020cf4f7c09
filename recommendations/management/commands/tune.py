"""Tune weights on the live version's tuning window; nothing is fitted again, and nothing goes live unasked."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recommendations.management.progress import Bar
from recommendations.models import BlendWeights
from recommendations.services.weights.blending import GateClosedError, publish
from recommendations.services.weights.tuning import NothingToTuneOnError, tune
from recommendations.terms import BlendName
from recommendations.wording import labels

ACCURACY = "accuracy"
TUNABLE = (BlendName.HOME, BlendName.DISCOVER)
STEPS = 100


class Command(BaseCommand):
    help = "Searches better weights on the live version's tuning window and keeps them as a proposal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--blend", choices=[str(name) for name in TUNABLE], help="only this one (default: both)")
        parser.add_argument("--seed", type=int, default=0, help="of the search and the intervals (default 0)")
        parser.add_argument("--publish", action="store_true", help="make it the default, if the gate lets it pass")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write what is printed to this file as well")

    def handle(self, *_args: Any, blend: str | None, seed: int, **options: Any) -> None:
        results = {}
        for name in [BlendName(blend)] if blend else TUNABLE:
            results[name] = self._tune(name, seed=seed)
            if options["publish"]:
                results[name]["published"] = self._publish(results[name]["version"])
        if options["json"]:
            options["json"].write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")

    def _tune(self, blend: BlendName, *, seed: int) -> dict[str, Any]:
        bar = Bar(self.stdout)
        try:
            weights = tune(
                blend=blend, seed=seed, by=None, now=timezone.now(),
                progress=lambda share: bar(blend, round(share * STEPS), STEPS),
            )  # fmt: skip
        except NothingToTuneOnError as error:
            raise CommandError(str(error)) from error
        expected, against = weights.expected, weights.parent or "the preset"
        self.stdout.write(f"{weights} from {expected['users']:,} customers, {expected['evaluations']} evaluations")
        self.stdout.write(f"  {ACCURACY} {_interval(expected['metrics'][ACCURACY])} on the tuning window")
        self.stdout.write(f"  {_interval(expected['against_default'][ACCURACY], sign='+')} against {against}")
        self.stdout.write(f"  {'weight':>8}  {'worth':>28}")
        parts = {**weights.weights, **weights.exponents}  # exponents are no shares of 1
        for name, weight in sorted(parts.items(), key=lambda part: -part[1]):
            if weight > 0:
                worth = _interval(expected["ablation"][name], sign="+")
                self.stdout.write(f"  {weight:8.4f}  {worth:>28}  {name}")
        self.stdout.write(f"  {labels.gate_text(weights.gate)}")
        return {
            "version": weights.pk, "number": weights.number, "weights": weights.weights,
            "promotion": weights.promotion, "expected": expected,
            "gate": weights.gate,
        }  # fmt: skip

    def _publish(self, key: int) -> bool:
        try:
            published = publish(weights=BlendWeights.objects.get(pk=key), by=None, now=timezone.now())
        except GateClosedError as error:
            self.stdout.write(self.style.WARNING(f"  not published: {labels.gate_text(error.gate_result)}"))
            return False
        self.stdout.write(self.style.SUCCESS(f"  {published} is the default now"))
        return True


def _interval(measure: Mapping[str, float], *, sign: str = "") -> str:
    value, low, high = (format(measure[part], f"{sign}.4f") for part in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"
