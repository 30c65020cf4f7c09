"""``manage.py push_keys``: fresh keys for messages to customers, as lines for an environment file or as files."""

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from recommendations.channels.sealing import new_vapid_key
from recommendations.management.key_lines import add_folder, key_lines

NAMES = ("CONTACT_KEYS", "CONTACT_HASH_KEY", "LINK_KEYS")
BYTES = 48
HAVE_KEYS = (
    "This installation has keys already. Leave CONTACT_HASH_KEY as it is for ever; put a new one of CONTACT_KEYS or "
    "LINK_KEYS in front of the old ones, with a comma between; a new VAPID_KEY loses every browser (docs/push.md)."
)


class Command(BaseCommand):
    help = "Prints fresh values of the keys for messages to customers. It changes nothing by itself."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_folder(parser)

    def handle(self, *_args: Any, folder: Path | None, **_options: Any) -> None:
        keys = {name: secrets.token_urlsafe(BYTES) for name in NAMES} | {"VAPID_KEY": new_vapid_key()}
        if settings.CONTACT_HASH_KEY:
            self.stderr.write(HAVE_KEYS)
        for line in key_lines(keys, folder):
            self.stdout.write(line)
