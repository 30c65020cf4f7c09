"""``manage.py check_engine``: whether the parts of a large run can be done where ``ENGINE`` says, and by whom."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.loop.part_trainer import engine_to_check
from recommendations.shardwork.spark import SparkEngine
from recommendations.shardwork.spark_session import UnfitClusterError
from recommendations.shardwork.tasks import MachineFacts


class Command(BaseCommand):
    help = (
        "Says which machines may do the parts of a large run where ENGINE says; exit status 1 where they cannot, with"
        " every reason and its remedy. A run asks the same before its first part."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        engine = engine_to_check()
        if not isinstance(engine, SparkEngine):
            self.stdout.write("ENGINE=local: processes of this machine do the parts of a large run.")
            return
        self.stdout.write(f"Asking {engine.place} …")
        began = time.monotonic()
        try:
            *there, here = engine.check()
        except UnfitClusterError as error:
            raise CommandError("\n".join(error.reasons)) from error
        for one in sorted(there, key=lambda one: one.host):
            self.stdout.write(f"  {_line(one)}")
        self.stdout.write(f"  {_line(here)}: leads the run")
        seconds = time.monotonic() - began
        self.stdout.write(self.style.SUCCESS(f"They see the same folder and may do parts. It took {seconds:.0f} s."))


def _line(one: MachineFacts) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in sorted(one.packages.items()))
    return f"{one.host}: {one.cores} cores, {one.memory_gb:g} GB, Python {one.python}, {packages}, code {one.code[:12]}"
