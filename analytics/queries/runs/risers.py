"""What rose most in the trending list with a version, and who asked for it."""

from dataclasses import dataclass

from recommendations.models import Item, ModelVersion


@dataclass(frozen=True, kw_only=True)
class Riser:
    """An item with its place before (None: below the first fifty) and after, and its people of the last four weeks."""

    item: Item
    before: int | None
    now: int
    people: int
    confirmed: int

    @property
    def share(self) -> float:
        """Share of the confirmed among its people."""
        return self.confirmed / self.people if self.people else 0.0


def risers(version: ModelVersion | None) -> list[Riser]:
    """What rose most with a version, the most first; items that are gone are left out."""
    rows = version.risers if version else []
    there = Item.objects.in_bulk([row["item"] for row in rows]) if rows else {}
    return [Riser(**row | {"item": there[row["item"]]}) for row in rows if row["item"] in there]
