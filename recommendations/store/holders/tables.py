"""Rows of a table that are about a person, by one description: how they are found, told and deleted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Field, Model, Q, QuerySet
from django.utils.functional import Promise

from recommendations.models import Category, Item
from recommendations.privacy_terms import HolderCode
from recommendations.store.holders.protocol import ROWS, Erased, Holds, Sheet, Subject

type Column = Field[Any, Any]

READ_AT_ONCE = 2_000  # rows of an export
NAMED_BY: Mapping[type[Model], str] = {Item: "shop_id", Category: "path"}
"""What the shop calls the rows that keys in arrays lead to."""


def of_customer(subject: Subject) -> Q:
    return Q(customer__in=subject.key_list)


def of_units(subject: Subject, *, moment: str) -> Q:
    """Rows by the numbers of the person's pseudonyms, while these were nobody else's by their ``moment``."""
    theirs = Q(unit__in=subject.units)
    for unit, at in subject.since.items():
        theirs &= ~Q(unit=unit, **{f"{moment}__lt": at})
    return theirs if subject.until is None else theirs & Q(**{f"{moment}__lt": subject.until})


@dataclass(frozen=True, kw_only=True)
class OwnRows:
    """Rows of a model that are a person's.

    ``columns`` are the fields that an export tells, by the words of the model; none where another table tells them.
    Those of ``keys`` are keys of items or categories, which are told as the shop calls them; ``told`` says how others
    are told that are not told as they stand, and ``words`` what a column is called that the model calls otherwise.
    """

    model: type[Model]
    whose: Callable[[Subject], Q] = of_customer
    columns: tuple[str, ...] = ()
    keys: Mapping[str, type[Model]] = field(default_factory=dict)
    told: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    words: Mapping[str, str | Promise] = field(default_factory=dict)

    def of(self, subject: Subject) -> QuerySet[Any]:
        return QuerySet(self.model).filter(self.whose(subject)).order_by()

    def count(self, subject: Subject) -> int:
        return self.of(subject).count()

    def delete(self, subject: Subject) -> int:
        """Delete the rows, at most ``ROWS`` a statement; how many they were."""
        return delete_rows(self.of(subject))

    def sheet(self, subject: Subject, rows: QuerySet[Any] | None = None) -> Sheet:
        """Tell the rows in their order; ``rows`` are those that are told where it is not all of them."""
        fields = [_field(self.model, column) for column in self.columns]
        stored = self.of(subject) if rows is None else rows
        ordered = stored.order_by(*[each.attname for each in self.model._meta.pk_fields])
        words = [self.words.get(column) or called(self.model, column) for column in self.columns]
        lines = ordered.values_list(*self.columns).iterator(chunk_size=READ_AT_ONCE)
        return Sheet(str(self.model._meta.verbose_name_plural), list(map(str, words)), self._lines(lines, fields))

    def _lines(self, stored: Iterator[Sequence[Any]], fields: Sequence[Column]) -> Iterator[Sequence[Any]]:
        names: dict[str, dict[int, str]] = {column: {} for column in self.keys}
        tellers = [self._teller(column, names, each) for column, each in zip(self.columns, fields, strict=True)]
        for part in batched(stored, READ_AT_ONCE):
            for column, model in self.keys.items():
                place = self.columns.index(column)
                _learn(names[column], model, [key for row in part for key in _list_of(row[place])])
            for row in part:
                yield [tell(value) for tell, value in zip(tellers, row, strict=True)]

    def _teller(self, column: str, names: Mapping[str, Mapping[int, str]], own: Column) -> Callable[[Any], Any]:
        """How the values of a column are told."""
        if column in self.keys:
            return lambda value: [names[column].get(key, str(key)) for key in _list_of(value)]
        labels = {code: str(label) for code, label in own.flatchoices}
        return self.told.get(column, lambda value: labels.get(value, value) if labels else value)


class TableHolder:
    """A holder of nothing but rows of tables, which are deleted in the order in which they are listed.

    ``also`` are models of whose rows something else becomes.
    """

    def __init__(self, code: HolderCode, *tables: OwnRows, also: Sequence[type[Model]] = ()) -> None:
        self.code = code
        self.tables = tables
        models = dict.fromkeys([*(table.model.__name__ for table in tables), *(each.__name__ for each in also)])
        self.holds = Holds(models=tuple(models))

    def export(self, subject: Subject) -> Iterator[Sheet]:
        return (table.sheet(subject) for table in self.tables if table.columns)

    def find(self, subject: Subject) -> int:
        return sum(table.count(subject) for table in self.tables)

    def erase(self, subject: Subject, *, now: datetime) -> Erased:  # noqa: ARG002 - others keep the moment
        return Erased(deleted=sum(table.delete(subject) for table in self.tables))


def delete_rows(rows: QuerySet[Any]) -> int:
    """Delete rows of one table and nothing that hangs on them, at most ``ROWS`` a statement; how many they were."""
    options = rows.model._meta
    keys = [each.column for each in options.pk_fields]
    picked = rows.order_by().values_list(*[each.attname for each in options.pk_fields])[:ROWS]
    try:
        chosen, values = picked.query.sql_with_params()
    except EmptyResultSet:  # of a person without keys
        return 0
    statement = f"DELETE FROM {options.db_table} WHERE ({', '.join(keys)}) IN ({chosen})"  # noqa: S608 - names of ours
    deleted: int = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(statement, values)
            deleted += cursor.rowcount
            if cursor.rowcount < ROWS:
                return deleted


def called(model: type[Model], path: str) -> str:
    """What a column is called; the name of something is called as that itself."""
    return str(_field(model, path.removesuffix("__name")).verbose_name)


def _field(model: type[Model], path: str) -> Column:
    """The field that a path of names leads to."""
    first, _, rest = path.partition("__")
    own = cast("Column", model._meta.get_field(first))
    return _field(cast("type[Model]", own.related_model), rest) if rest else own


def _list_of(value: Any) -> Sequence[int]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _learn(names: dict[int, str], model: type[Model], keys: Sequence[int]) -> None:
    missing = set(keys) - names.keys()
    if missing:
        names.update(QuerySet(model).filter(pk__in=missing).values_list("pk", NAMED_BY[model]))
