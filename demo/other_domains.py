"""What the demo of articles, music or films is filled with; that of goods is Complete Journey."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from demo import movielens
from demo.town import synthetic_shop, write_rows
from recommendations.domains.protocol import Domain, DomainName
from recommendations.ingest.import_files import import_events, import_items
from recommendations.models import Import
from recommendations.services.privacy.retention import keep_all_events
from recommendations.store.temp_tables import Report

type Rows = Iterable[Mapping[str, str]]


def load_domain(domain: Domain, *, now: datetime, report: Report) -> tuple[Import, Import]:
    """Import the items and events of the domain's demo by the way that files take. Raises SetIsMissingError."""
    items, events = _films(now) if domain.name is DomainName.VIDEO else _synthetic(domain, now)
    with TemporaryDirectory() as folder:
        file = write_rows(items, Path(folder) / f"{domain.name}-items.csv")
        taken = import_items(file, now=now, report=report)
        file = write_rows(events, Path(folder) / f"{domain.name}-events.csv")
        told = import_events(file, now=now, report=report)
    keep_all_events(note="All that the demo has.", now=now)
    return taken, told


def _films(now: datetime) -> tuple[Rows, Rows]:
    movielens.fetch()
    return movielens.films(), movielens.ratings(now=now)


def _synthetic(domain: Domain, now: datetime) -> tuple[Rows, Rows]:
    shop = synthetic_shop(domain, now=now)
    return shop.items, shop.events
