"""``manage.py privacy_keys``: fresh keys for receipts and exports, as lines for an environment file or as files."""

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from recommendations.channels.signing import new_seed
from recommendations.management.key_lines import add_folder, key_lines

BYTES = 48
HAVE_KEYS = (
    "This installation has keys already. Put a new one in front of the old ones, with a comma between: the first signs "
    "or seals, and old receipts are verified by the public halves of all (docs/privacy.md)."
)


class Command(BaseCommand):
    help = "Prints fresh values of the keys that sign receipts and seal exports. It changes nothing by itself."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_folder(parser)

    def handle(self, *_args: Any, folder: Path | None, **_options: Any) -> None:
        if settings.RECEIPT_KEYS or settings.EXPORT_KEYS:
            self.stderr.write(HAVE_KEYS)
        keys = {"RECEIPT_KEYS": new_seed(), "EXPORT_KEYS": secrets.token_urlsafe(BYTES)}
        for line in key_lines(keys, folder):
            self.stdout.write(line)
