"""``manage.py read_bounce < MAIL``: a report of a mail server, which came back for a mail of ours."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from recommendations.services.mails.reports import MOST_BYTES, ReportRefusedError, report_of
from recommendations.services.push.coming_back import take_report

REFUSED, TRY_AGAIN = 65, 75  # as mail servers read them (sysexits.h): bad data, and for the moment


class Command(BaseCommand):
    help = "Reads one report of a mail server from standard input: a bounce (RFC 3464) or a complaint (RFC 5965)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", default="", metavar="ADDRESS", help="where the report was sent, on its envelope")

    def handle(self, *_args: Any, to: str, **_options: Any) -> None:
        content = sys.stdin.buffer.read(MOST_BYTES + 1)
        try:
            report = report_of(content, recipient=to)
            changed = take_report(report, now=timezone.now())
        except ReportRefusedError as error:
            raise CommandError(f"Refused: {error}. Nothing was changed.", returncode=REFUSED) from error
        except OperationalError as error:
            raise CommandError("The database is away. Nothing was changed.", returncode=TRY_AGAIN) from error
        name = f"{'message' if report.about.is_message else 'address'} {report.about.key}"
        self.stdout.write(f"{report.kind}: {name}{'' if changed else ', nothing to change'}")
