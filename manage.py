#!/usr/bin/env python
"""Django's command line. Without servers of your own: ``python -m recsite.embedded -- python manage.py …``."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    execute_from_command_line(sys.argv)
