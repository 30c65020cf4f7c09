"""Time zones to choose from: the names that are in use today, by their part of the world, as one would say them."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from zoneinfo import TZPATH, available_timezones

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REGIONS: Mapping[str, Promise] = {
    "Africa": _("Africa"), "America": _("America"), "Antarctica": _("Antarctica"), "Asia": _("Asia"),
    "Atlantic": _("Atlantic"), "Australia": _("Australia"), "Europe": _("Europe"), "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific"),
}  # fmt: skip
SPELLED: Mapping[str, str] = {"DumontDUrville": "Dumont d'Urville"}  # a name of a zone has no apostrophe
TABLE = "zone.tab"  # of the time zone database: a line for each zone of a country, and none of the old names


@cache
def time_zones() -> frozenset[str]:
    """Names of all time zones, old ones too, which are read from many files."""
    return frozenset(available_timezones())


@cache
def zone_choices() -> Sequence[tuple[Promise | str, Sequence[tuple[str, str]]]]:
    """Parts of the world with their zones, each with its name and as one would say it; UTC last."""
    regions: dict[str, list[tuple[str, str]]] = {region: [] for region in REGIONS}
    for name in _in_use():
        region, _slash, place = name.partition("/")
        if region in regions:
            regions[region].append((name, _said(place)))
    by_place = [(REGIONS[region], sorted(zones, key=lambda zone: zone[1])) for region, zones in regions.items()]
    return [*by_place, ("UTC", [("UTC", "UTC")])]


def _in_use() -> frozenset[str]:
    """The names of the table; all that there are where the system brings none along."""
    table = next((file for folder in TZPATH if (file := Path(folder) / TABLE).is_file()), None)
    if table is None:
        return time_zones()
    lines = table.read_text(encoding="utf-8").splitlines()
    return frozenset(line.split("\t")[2] for line in lines if line and not line.startswith("#")) & time_zones()


def _said(place: str) -> str:
    """A place as one would say it: “Knox (Indiana)” of ``Indiana/Knox``."""
    within, _slash, city = SPELLED.get(place, place).replace("_", " ").rpartition("/")
    return f"{city} ({within})" if within else city
