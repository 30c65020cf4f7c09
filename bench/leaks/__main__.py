"""Addresses of customers where they must not be: ``make bench-leaks`` on the demo's data, after it sent mail.

Every address that is sealed in the database is opened, and looked for in every row of every table (what a dump holds),
in all that Valkey holds, in every file of the data folder and in logs that are named (``--log``), and in pages of the
dashboard and the API that are walked through as an admin. The demo's post office is the customers' own mailbox: its
files and its pages are left out.
"""

import argparse
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import django

from bench.bars import Figure, report


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.leaks", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".local"))
    parser.add_argument("--log", type=Path, action="append", default=[], help="a log of the run, also looked through")
    parser.add_argument("--json", type=Path, help="write protocol and figures here")
    options = parser.parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    django.setup()
    logging.disable()
    from bench.leaks import places  # noqa: PLC0415 - Django is set up by now

    addresses = places.addresses()
    wanted = re.compile(b"|".join(re.escape(each.encode()) for each in addresses), re.IGNORECASE)
    figures = [Figure("addresses looked for", len(addresses), least=1)]
    for name, hits, count in (
        ("table rows", *places.hits(places.rows(), wanted)),
        ("entries of Valkey", *places.hits(places.entries(), wanted)),
        ("pieces of files and logs", *places.hits(places.pieces([*options.log, *places.files(options.data)]), wanted)),
        ("pages", *places.hits(places.pages(), wanted)),
    ):
        figures += [Figure(f"{name} looked through", count, least=1), Figure(f"{name} with an address", hits, most=0)]
    return report(figures, protocol={"data": str(options.data), "logs": len(options.log)}, path=options.json)


if __name__ == "__main__":
    sys.exit(main())
