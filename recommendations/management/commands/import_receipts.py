"""``manage.py import_receipts FILE``: campaigns that another system sent, as a CSV or Parquet file."""

from recommendations.management.file_import import FileImport
from recommendations.services.campaigns.receipt_import import import_receipts


class Command(FileImport):
    help = "Import who got another system's campaigns, and answered. Running it twice changes nothing."
    load = staticmethod(import_receipts)
