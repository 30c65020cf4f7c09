#!/usr/bin/env python
"""Django's command line. Without servers of your own: ``python -m recsite.embedded -- python manage.py …``."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from recommendations.management.commands.push_keys import Command as PushKeys


def main(argv: list[str]) -> None:
    """Run the command. Keys are made without any settings, which need them; else what is not set is said in a line."""
    try:
        execute_from_command_line(argv)
    except ImproperlyConfigured as error:
        if settings.configured:
            raise
        if argv[1:2] != ["push_keys"]:
            sys.exit(str(error))
        settings.configure(CONTACT_HASH_KEY=any(os.environ.get(f"CONTACT_HASH_KEY{by}") for by in ("", "_FILE")))
        PushKeys().run_from_argv(argv)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    main(sys.argv)
