"""``manage.py push_keys``: fresh keys for messages to customers, as lines for an environment file or as files."""

import os
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recommendations.channels.sealing import new_vapid_key

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
        parser.add_argument(
            "--folder", type=Path, metavar="DIR", help="write each into a file there, which nobody else can read"
        )

    def handle(self, *_args: Any, folder: Path | None, **_options: Any) -> None:
        keys = {name: secrets.token_urlsafe(BYTES) for name in NAMES} | {"VAPID_KEY": new_vapid_key()}
        if settings.CONTACT_HASH_KEY:
            self.stderr.write(HAVE_KEYS)
        lines = _files(keys, folder) if folder else keys
        for name, value in lines.items():
            self.stdout.write(f"{name}={value}")


def _files(keys: dict[str, str], folder: Path) -> dict[str, str]:
    """Write each key into a file of its own; setting that names it → its path. Nothing is overwritten."""
    paths = {name: folder.absolute() / name.lower() for name in keys}
    if there := [path.name for path in paths.values() if path.exists() or path.is_symlink()]:
        raise CommandError(f"{folder} has {', '.join(there)} already; nothing was written. Choose another folder.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, path in paths.items():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(f"{keys[name]}\n")
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be written: {error.strerror}.") from error
    return {f"{name}_FILE": str(path) for name, path in paths.items()}
