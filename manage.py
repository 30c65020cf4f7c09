#!/usr/bin/env python
"""Django's command line. Without servers of your own: ``python -m recsite.embedded -- python manage.py …``."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from recommendations.management.commands.privacy_keys import Command as PrivacyKeys
from recommendations.management.commands.push_keys import Command as PushKeys
from recommendations.management.commands.verify_receipt import Command as VerifyReceipt

ALONE = {"privacy_keys": PrivacyKeys, "push_keys": PushKeys, "verify_receipt": VerifyReceipt}
"""Commands that need no settings."""


def main(argv: list[str]) -> None:
    """Run the command. Keys are made without any settings, which need them, and receipts are verified anywhere; else
    what is not set is said in a line.
    """
    try:
        execute_from_command_line(argv)
    except ImproperlyConfigured as error:
        if settings.configured:
            raise
        command = ALONE.get(argv[1]) if len(argv) > 1 else None
        if command is None:
            sys.exit(str(error))
        names = ("CONTACT_HASH_KEY", "EXPORT_KEYS", "RECEIPT_KEYS")
        settings.configure(**{name: _is_given(name) for name in names})
        command().run_from_argv(argv)


def _is_given(name: str) -> bool:
    return any(os.environ.get(f"{name}{by}") for by in ("", "_FILE"))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    main(sys.argv)
