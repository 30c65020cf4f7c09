"""Commands of the smallest shop on django-oscar: ``manage.py migrate``, ``manage.py stock_shelves`` and so on."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
    execute_from_command_line(sys.argv)
