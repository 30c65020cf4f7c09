"""``manage.py rebuild_live``: what Valkey holds, made again from PostgreSQL."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.management.progress import Bar
from recommendations.services.operations.housekeeping import ValkeyAwayError, rebuild_live_state


class Command(BaseCommand):
    help = "Makes everything in Valkey that answers need again from PostgreSQL; the shop may go on meanwhile."

    def handle(self, *_args: Any, **_options: Any) -> None:
        bar = Bar(self.stdout)
        try:
            acts = rebuild_live_state(report=bar)
        except ValkeyAwayError as error:
            raise CommandError("Valkey does not answer, or takes nothing. See to it, then start this again.") from error
        seconds = sum(bar.seconds.values())
        self.stdout.write(self.style.SUCCESS(f"{acts:,} acts of customers, in {seconds:.1f} s."))
