"""``manage.py retention``: let go of what was kept long enough, now; or only say what that would be."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from recommendations.services.privacy import retention


class Command(BaseCommand):
    help = "Lets go of what was kept long enough, as every night at 00:20; a rule of the last hour is let be."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *_args: Any, dry_run: bool, **_options: Any) -> None:
        now = timezone.now()
        if dry_run:
            told = [
                f"{each.kind:<12} {each.rows:>12,} rows {each.size:>15,} bytes  {' '.join(each.months)}"
                for each in retention.due(now=now)
            ]
        else:
            told = [
                f"{each.kind:<12} {each.rows:>12,} rows {each.size:>15,} bytes  {each.partition}"
                + (f"  {each.held:,} rows of people who are held were kept" if each.held else "")
                for each in retention.expire(now=now)
            ]
        for line in told or ["Nothing is older than it is kept."]:
            self.stdout.write(line.rstrip())
