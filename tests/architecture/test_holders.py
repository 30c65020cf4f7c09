"""Everything that could hold something of a person has a holder, or a reason why it holds nothing of anybody."""

from collections.abc import Iterable, Iterator

import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from recommendations.models import Customer
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.nobodys import NOBODYS
from recommendations.store.holders.protocol import Holder
from recommendations.store.holders.registry import HOLDERS

NAMES = {
    "contact", "customer", "digest", "event_id", "pseudonym", "recommendation_id", "session_id", "target_id",
    "transaction_id", "unit",
}  # fmt: skip
"""Fields that lead to a person by what they are called; by the name of the column as well."""
WIDE = (models.JSONField, models.BinaryField, models.TextField, ArrayField)
"""Fields in which anything may stand."""

type Table = type[models.Model]


def tables() -> Iterator[Table]:
    return apps.get_app_config("recommendations").get_models(include_auto_created=True)


def could_lead(table: Table) -> set[str]:
    """Fields of a table that could lead to a person."""
    return {
        field.name
        for field in table._meta.get_fields()
        if isinstance(field, models.Field)
        and (
            isinstance(field, WIDE)
            or not {field.name, field.attname}.isdisjoint(NAMES | {f"{name}_id" for name in NAMES})
            or (field.is_relation and field.related_model is Customer)
        )
    }


def flaws(checked: Iterable[Table], holders: Iterable[Holder]) -> list[str]:
    """What nobody answers for, and what is answered for twice or needlessly."""
    holders = list(holders)
    of_nobody = {name: fields for each in NOBODYS for name, fields in each.fields.items()}
    told: list[str] = []
    for table in checked:
        name, leading = table.__name__, could_lead(table)
        by = [holder.code for holder in holders if name in holder.holds.models]
        if len(by) > 1 or (by and name in of_nobody):
            told.append(f"{name} stands in {by}{' and among NOBODYS' if name in of_nobody else ''}")
        elif not by:
            told += [f"{name}.{field} has no holder" for field in sorted(leading - set(of_nobody.get(name, ())))]
            told += [f"{name}.{field} need not be told of" for field in sorted(set(of_nobody.get(name, ())) - leading)]
    names = {table.__name__ for table in checked}
    listed = {*of_nobody, *(name for holder in holders for name in holder.holds.models)}
    return told + [f"there is no {name}" for name in sorted(listed - names)]


def test_every_field_that_could_lead_to_a_person_has_a_holder_or_a_reason() -> None:
    assert flaws(list(tables()), HOLDERS) == []
    assert sum(len(each.fields) for each in NOBODYS) == len({name for each in NOBODYS for name in each.fields})


def test_every_place_has_a_holder_in_the_order_of_erasure() -> None:
    assert [holder.code for holder in HOLDERS] == list(HolderCode)


@pytest.mark.parametrize(
    "field",
    [
        models.ForeignKey(Customer, models.CASCADE, related_name="+"), models.JSONField(), models.TextField(),
        models.BinaryField(), ArrayField(models.IntegerField()), models.BigIntegerField(name="unit"),
        models.CharField(name="session_id"), models.BigIntegerField(name="customer_id"),
    ],
)  # fmt: skip
def test_a_new_table_without_a_holder_is_seen(field: models.Field) -> None:
    """Whatever leads from it to a person."""
    name = field.name or "planted"
    meta = type("Meta", (), {"app_label": "planted", "apps": Apps()})
    planted = type("Planted", (models.Model,), {"__module__": __name__, "Meta": meta, name: field})
    assert flaws([*tables(), planted], HOLDERS) == [f"Planted.{name} has no holder"]


def test_a_holder_that_is_left_out_is_seen() -> None:
    for missing in (holder for holder in HOLDERS if holder.holds.models):
        rest = [holder for holder in HOLDERS if holder is not missing]
        assert {flaw.partition(".")[0] for flaw in flaws(list(tables()), rest)} <= set(missing.holds.models)
        assert flaws(list(tables()), rest)
