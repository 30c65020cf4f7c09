"""``manage.py import_contacts FILE``: addresses and consents of a CSV or Parquet file."""

from typing import Any

from django.core.management import CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recommendations.management.file_import import FileImport
from recommendations.services.contacts.file_import import KeysMissingError, import_contacts


class Command(FileImport):
    help = "Import contacts from a CSV or Parquet file. Running it twice changes nothing."
    load = staticmethod(import_contacts)
    database_refused = gettext_lazy(
        "The database refused; rows before may have been taken. Import the file again, which changes nothing of them: "
        "%(reason)s"
    )

    def handle(self, **options: Any) -> None:
        try:
            super().handle(**options)
        except KeysMissingError as error:
            text = _("There are no keys for contacts: set %(names)s. manage.py push_keys makes them.")
            raise CommandError(text % {"names": "CONTACT_KEYS, CONTACT_HASH_KEY, LINK_KEYS"}) from error
