"""Train the transformer's nets on the history of the live version; the next run weighs and serves them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.engine.recommenders.net_training import Plan, Training
from recommendations.services.operations.net_training import CannotTrainError, forget_nets, train_nets
from recommendations.terms import Cut

MINUTE = 60.0
MOST_MINUTES = 24 * 60


class Command(BaseCommand):
    help = "Trains the transformer's nets, for shops of articles, music and video; needs the extra sequence-torch."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=20.0, help="for all three cuts together (default 20)")
        parser.add_argument("--threads", type=int, default=1, help="of the processor (default 1)")
        parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default 0)")
        parser.add_argument("--forget", action="store_true", help="forget the nets: the next run has no transformer")

    def handle(self, *_args: Any, minutes: float, threads: int, seed: int, forget: bool, **_options: Any) -> None:
        if forget:
            self._forget()
            return
        if not 0 < minutes <= MOST_MINUTES or threads < 1 or seed < 0:
            raise CommandError(
                f"--minutes is above 0, up to {MOST_MINUTES:,}; --threads is 1 or more, --seed 0 or more"
            )
        try:
            for cut, net in train_nets(
                seconds=minutes * MINUTE, seed=seed, plan=Plan(threads=threads), tell=self._progress
            ):
                reached = "" if net.reached is None else f"NDCG@10 {net.reached:.4f} on what was held out, "
                self.stdout.write(
                    f"{cut}: {net.items:,} items, {net.sequences:,} sequences, {reached}after round {net.rounds} of "
                    f"{net.seconds:,.0f} s"
                )
        except CannotTrainError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command goes on from what was last kept.") from None
        self.stdout.write(self.style.SUCCESS("The next run has the transformer; weights are proposed where it helps."))

    def _forget(self) -> None:
        try:
            there = forget_nets()
        except CannotTrainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The next run has no transformer." if there else "No nets were there to forget.")

    def _progress(self, cut: Cut, progress: Training) -> None:
        reached = f"{progress.reached[-1]:.4f}, " if progress.judged else ""
        self.stdout.write(f"  {cut} round {progress.round}: {reached}{progress.seconds:,.0f} s")
        self.stdout.flush()
