"""What came in just now, event by event, as it was taken or refused: the log of each source in Valkey."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from analytics import filters as fields
from recommendations.ingest.arrivals import STRANGERS, Arrival, last_arrivals, source_name, turned_away_by
from recommendations.ingest.sources.table import hooks_there
from recommendations.models import ApiKey, Item
from recommendations.terms import Scope

MOST = 100
VERDICTS: Mapping[str, Promise] = {
    "accepted": pgettext_lazy("arrival", "Accepted"),
    "duplicate": pgettext_lazy("arrival", "Duplicate"),
    "ignored": pgettext_lazy("arrival", "Ignored"),
    "rejected": pgettext_lazy("arrival", "Rejected"),
    "refused": pgettext_lazy("arrival", "No events"),
    "away": pgettext_lazy("arrival", "Not let in"),
}
"""What may become of an event; of a body without any, and of a request that was not let in, it is one of the last."""
NOBODY = "–"


class ArrivalFilters(fields.ListFilters):
    source: str = fields.text(words=None)
    verdict: str = fields.choice(VERDICTS, usual="")
    paused: int | None = fields.number(words=None)
    whole: int | None = fields.number(words=None)


@dataclass(frozen=True)
class ArrivedItem:
    """An item that an event named; without ``pk`` the catalogue does not have it."""

    shop_id: str
    pk: int | None


@dataclass(frozen=True)
class ArrivedLine:
    """An event as it came in, with the source that sent it; ``times``: how often, of what is only counted."""

    arrival: Arrival
    source: str
    at: datetime
    items: Sequence[ArrivedItem]
    times: int

    @property
    def verdict(self) -> str:
        return str(VERDICTS.get(self.arrival.verdict, self.arrival.verdict))


def sources_of_events() -> dict[str, str]:
    """Whoever may send events, by the name in the log: keys, and the systems that call."""
    keys = ApiKey.objects.valid().filter(scopes__contains=[Scope.EVENTS_WRITE]).order_by("name", "pk")
    return {source_name(key=key.pk): str(key) for key in keys} | hooks_there()


def arrived(filters: ArrivalFilters, sources: Mapping[str, str]) -> list[ArrivedLine] | None:
    """The last events of the sources that are asked for, the newest first; None where Valkey is away."""
    wanted = [filters.source] if filters.source in sources else list(sources)
    whose = {name: sources[source] for source in wanted for name in (source, turned_away_by(source))}
    if filters.source not in sources:
        whose[STRANGERS] = NOBODY
    lists = last_arrivals(list(whose))
    if lists is None:
        return None
    strangers = lists.pop(STRANGERS, [])
    times = Counter(map(_place, strangers))
    newest = {_place(arrival): arrival for arrival in reversed(strangers)}
    every = [(arrival, whose[name]) for name, arrivals in lists.items() for arrival in arrivals]
    every += [(arrival, NOBODY) for arrival in newest.values()]
    chosen = [each for each in every if filters.verdict in {"", each[0].verdict}]
    chosen = sorted(chosen, key=lambda each: -each[0].at)[:MOST]
    named = {shop_id for arrival, _source in chosen for shop_id in arrival.items}
    keys = dict(Item.objects.filter(shop_id__in=named).values_list("shop_id", "pk")) if named else {}
    return [
        ArrivedLine(
            arrival,
            source,
            datetime.fromtimestamp(arrival.at, UTC),
            [ArrivedItem(shop_id, keys.get(shop_id)) for shop_id in arrival.items],
            times[_place(arrival)] if source == NOBODY else 1,
        )
        for arrival, source in chosen
    ]


def _place(arrival: Arrival) -> tuple[str, str]:
    """Where somebody without a known key came, and why they were not let in: by this they are counted."""
    return arrival.name, arrival.whys[0].reason


def example_item() -> str:
    """An item of the catalogue, for an example."""
    return Item.objects.filter(retired_at=None).order_by("pk").values_list("shop_id", flat=True).first() or "SKU1"
