"""``manage.py import_promotions FILE``: promotions of a CSV or Parquet file into the plan."""

from recommendations.ingest.import_files import import_promotions
from recommendations.management.file_import import FileImport


class Command(FileImport):
    help = "Import promotions from a CSV or Parquet file. Running it twice changes nothing."
    load = staticmethod(import_promotions)
