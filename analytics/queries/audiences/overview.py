"""The audiences as the list shows them: in their order, with how many they are and what is for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.queries.audiences.words import AudienceNames
from recommendations.models import Audience, Category, Customer, CustomerAlias
from recommendations.services.audiences.editing import AudienceUsers, Gone, gone_of_each, users_of_each

OFFERED = 12
LOOKED_AT = 500  # customers, the last with any, whose properties are offered


@dataclass(frozen=True, kw_only=True)
class AudienceRow:
    """An audience, with what it asks for and is gone, so that it is for nobody."""

    audience: Audience
    words: str
    gone: Sequence[Gone]
    users: AudienceUsers

    @property
    def grown(self) -> int | None:
        """Customers more than the day before; None where that is not known."""
        before = self.audience.size_before
        return None if before is None else self.audience.size - before


def audiences() -> list[AudienceRow]:
    """All audiences that are not archived, in their order."""
    rows = list(Audience.objects.unarchived().select_related("author"))
    names, users = AudienceNames.of(row.conditions for row in rows), users_of_each(rows)
    lost = gone_of_each([row.conditions for row in rows])
    return [
        AudienceRow(audience=row, words=names.sentence(row.conditions), gone=missing, users=users[row.pk])
        for row, missing in zip(rows, lost, strict=True)
    ]


def find_audience(pk: int) -> Audience | None:
    return Audience.objects.select_related("author").filter(pk=pk).first()


def people() -> int:
    """Number of customers that there are, visitors and those who object among them."""
    merged = CustomerAlias.objects.filter(undone_at=None).values("anonymous")
    return Customer.objects.filter(erased_at=None).exclude(pk__in=merged).count()


def offered_categories(text: str) -> list[str]:
    """Paths of the first categories with the text in them, the highest in the tree first."""
    categories = Category.objects.filter(path__icontains=text).order_by("path")
    return sorted(categories.values_list("path", flat=True), key=lambda path: (path.count(">"), path))[:OFFERED]


def offered_properties() -> list[str]:
    """Names of the properties that the shop sent of its latest customers."""
    latest = Customer.objects.filter(erased_at=None).exclude(properties={}).order_by("-pk")[:LOOKED_AT]
    return sorted({name for properties in latest.values_list("properties", flat=True) for name in properties})
