"""``manage.py import_customers FILE``: what the shop says of its customers, from a CSV or Parquet file."""

from recommendations.ingest.import_files import import_customers
from recommendations.management.file_import import FileImport


class Command(FileImport):
    help = (
        "Import customers from a CSV or Parquet file: user_id, and a property in every other column. Running it twice "
        "changes nothing."
    )
    load = staticmethod(import_customers)
