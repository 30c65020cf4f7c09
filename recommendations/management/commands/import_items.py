"""``manage.py import_items FILE``: items of a CSV or Parquet file into the catalogue."""

from recommendations.ingest.import_files import import_items
from recommendations.management.file_import import FileImport


class Command(FileImport):
    help = "Import items from a CSV or Parquet file. Running it twice changes nothing."
    load = staticmethod(import_items)
