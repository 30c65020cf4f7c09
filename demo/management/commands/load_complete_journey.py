"""``manage.py load_complete_journey``: the demo's year, moved to the present by whole weeks."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from demo.complete_journey.load import ClockIsSetError
from demo.complete_journey.wheel import WheelIsMissingError
from demo.load import load_complete_journey
from recommendations.management.progress import Bar
from recommendations.models import Import


class Command(BaseCommand):
    help = (
        "Load the demo's data: Complete Journey, a year of purchases and promotions at a grocer's. "
        "Loading it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--shift-weeks",
            type=_weeks,
            default="auto",
            metavar="auto|N",
            help="weeks to move the data by; auto: the last full day falls in the past seven days, "
            "or as they were moved when they were first loaded",
        )
        parser.add_argument("--households", type=int, metavar="N", help="only the first N households, for a small shop")
        parser.add_argument(
            "--hold-days",
            type=int,
            default=0,
            metavar="N",
            help="hold the last N days back for the replay, which `make demo` sends through the API (it holds 14)",
        )

    def handle(self, *, shift_weeks: int | str | None, households: int | None, hold_days: int, **_options: Any) -> None:
        bar = Bar(self.stdout)
        weeks = _weeks(shift_weeks) if isinstance(shift_weeks, str) else shift_weeks
        try:
            loaded = load_complete_journey(
                weeks=weeks, households=households, hold_days=hold_days, now=timezone.now(), report=bar
            )
        except (ClockIsSetError, WheelIsMissingError) as error:
            raise CommandError(str(error)) from error
        for step, seconds in bar.seconds.items():
            self.stdout.write(f"  {step:<12}{seconds:>6.1f} s")
        for imported in loaded:
            self._account(imported)

    def _account(self, imported: Import) -> None:
        figures = {imported.kind: imported.rows, "kept": imported.kept, "already there": imported.duplicates}
        if imported.held:
            figures["held for the replay"] = imported.held
        figures |= {f"refused: {reason.replace('_', ' ')}": count for reason, count in imported.reasons.items()}
        for name, count in figures.items():
            self.stdout.write(f"  {name:<34}{count:>10,}")


def _weeks(value: str) -> int | None:
    if value == "auto":
        return None
    try:
        return int(value)
    except ValueError as error:
        raise ArgumentTypeError(f"{value!r} is neither auto nor a number of weeks") from error
