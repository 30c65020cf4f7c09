"""The refused calls of a file as JSON Lines, so that they can be mended and imported as the file was."""

from pathlib import Path

import msgspec

from recommendations.ingest.calls.bodies import CallBodies
from recommendations.ingest.feeds.unpacking import unpacked
from recommendations.ingest.sources.adapter import as_json
from recommendations.ingest.sources.table import EVENTS
from recommendations.models import Import
from recommendations.store.imports.csv_rows import Fault


def write_refused(path: Path, to: Path, *, imported: Import, system: str) -> int:
    """Write each line with a call that an import refused, as it was sent; how many lines those are.

    It is read from the file again, as nothing is stored by which a customer could be known. A line that is too long is
    left out.
    """
    lines = set(imported.rejected_rows.values_list("line", flat=True))
    count = 0
    with unpacked(path) as plain, plain.open("rb") as file, to.open("xb") as refused:
        for line, body in CallBodies(file, plain, lists=EVENTS[system].lists, decode=msgspec.Raw):
            if line in lines and not isinstance(body, Fault):
                refused.write(b" ".join(as_json(body).splitlines()) + b"\n")
                count += 1
    return count
