"""``manage.py import_events FILE``: events of a CSV or Parquet file into the record."""

from recommendations.ingest.import_files import import_events
from recommendations.management.file_import import FileImport


class Command(FileImport):
    help = "Import events from a CSV or Parquet file. Running it twice changes nothing."
    load = staticmethod(import_events)
