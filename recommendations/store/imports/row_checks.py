"""Checks of staged rows in SQL: of each field the first that a row breaks, as ``field:code``."""

from collections import defaultdict
from collections.abc import Iterable
from typing import LiteralString, NamedTuple, TypeAliasType, get_args

from msgspec import Meta
from psycopg import sql

from recommendations.fields import LARGEST_AMOUNT

FLAW_END = "\x1f"
"""Stands between the flaws of a row: no name of a column holds it."""
ITEM_JOIN = sql.SQL("LEFT JOIN recommendations_item item ON item.shop_id = staged.item_id")


class RowCheck(NamedTuple):
    """Check of a field: ``broken`` is a condition over the row; a check that cannot be computed counts as kept.

    One that looks at other fields, too, is ``joint``: it is asked where each field is right by itself.
    """

    field: LiteralString
    code: LiteralString
    broken: LiteralString | sql.Composable
    joint: bool = False


def column(field: LiteralString) -> sql.Identifier:
    """Column of the stage: the catalogue, which rules may join, has columns of the same name."""
    return sql.Identifier("staged", field)


def all_broken(checks: Iterable[RowCheck]) -> sql.Composable:
    """The first broken check of every field, else the first joint one, ``FLAW_END`` between them; NULL for none.

    Later checks of a field may rely on the earlier, as SQL evaluates a CASE in order.
    """
    fields: dict[str, list[RowCheck]] = defaultdict(list)
    joint: list[RowCheck] = []
    for check in checks:
        (joint if check.joint else fields[check.field]).append(check)
    alone = sql.SQL("nullif(concat_ws({}, {}), '')").format(FLAW_END, sql.SQL(", ").join(map(_case, fields.values())))
    return sql.SQL("coalesce({}, {})").format(alone, _case(joint)) if joint else alone


def _case(checks: Iterable[RowCheck]) -> sql.Composable:
    cases = [
        sql.SQL("WHEN {} THEN {}").format(
            sql.SQL(check.broken) if isinstance(check.broken, str) else check.broken,
            sql.Literal(f"{check.field}:{check.code}"),
        )
        for check in checks
    ]
    return sql.SQL("CASE {} END").format(sql.SQL("\n").join(cases))


def needed(field: LiteralString) -> list[RowCheck]:
    return [RowCheck(field, "missing", _of("{} IS NULL", field))]


def checks_of(kind: TypeAliasType, *fields: LiteralString, code: LiteralString = "too_long") -> list[RowCheck]:
    """Checks of columns that hold a type of ``fields``; ``code`` names what is beyond its limits, an amount below 0."""
    base, limits = get_args(kind.__value__)
    rules: list[RowCheck] = []
    for field in fields:
        if base is str:
            rules.append(RowCheck(field, code, _of("length({}) > {}", field, limits.max_length)))
        elif base is int:
            rules.append(RowCheck(field, code, _not_whole(field, limits)))
        else:
            rules += _number(field, limits, code) if base is float else _money(field, code)
    return rules


def share(field: LiteralString) -> list[RowCheck]:
    return [*_numeric(field), RowCheck(field, "not_a_share", _of("{}::numeric NOT BETWEEN 0 AND 1", field))]


# Moments as most systems write them. Regular expressions cost more than all else, so these are known without one.
USUAL_MOMENTS = [
    f"0000-00-00T00:00:00{fraction}{zone}" for fraction in ("", ".000", ".000000") for zone in ("Z", "+00:00", "-00:00")
]


def moment(field: LiteralString, *, dates: bool = False) -> list[RowCheck]:
    """Check a date and a time of day with a zone, in ISO 8601; ``dates``: a date alone will do."""
    digits = sql.SQL("translate({}, '123456789', '000000000') <> ALL({})").format(
        column(field), sql.Literal(USUAL_MOMENTS)
    )
    shape = r"{} !~* '^\d{{4}}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)? ?(Z|[+-]\d\d(:?\d\d)?)?)?$'"
    zoned = "right({0}, 1) <> 'Z' AND left(right({0}, 6), 1) <> '+'"  # of what has the shape
    if dates:
        zoned += " AND length({0}) > 10"
    return [
        RowCheck(field, "not_a_time", sql.SQL(" AND ").join([digits, _of(shape, field)])),
        RowCheck(field, "not_a_time", _of("NOT pg_input_is_valid({}, 'timestamptz')", field)),
        RowCheck(field, "no_zone", _of(zoned + r" AND {0} !~* ':\d\d(\.\d+)? ?(Z|[+-]\d\d(:?\d\d)?)$'", field)),
    ]


def instant(field: LiteralString) -> sql.Composed:
    """The moment that a checked field names; a date alone is the start of that day in the time zone ``zone``."""
    return _of("CASE WHEN length({0}) = 10 THEN {0}::timestamp AT TIME ZONE %(zone)s ELSE {0}::timestamptz END", field)


def _numeric(field: LiteralString) -> list[RowCheck]:
    return [
        RowCheck(field, "not_a_number", _of("NOT pg_input_is_valid({}, 'numeric')", field)),
        RowCheck(field, "not_a_number", _of("{}::numeric IN ('NaN', 'Infinity', '-Infinity')", field)),
    ]


def _not_whole(field: LiteralString, limits: Meta) -> sql.Composed:
    shape = (
        "{0} IS NOT NULL AND NOT coalesce(CASE WHEN pg_input_is_valid({0}, 'numeric') "
        "THEN {0}::numeric BETWEEN {1} AND {2} AND {0}::numeric = trunc({0}::numeric) END, false)"
    )
    return _of(shape, field, limits.ge, limits.le)


def _number(field: LiteralString, limits: Meta, code: LiteralString) -> list[RowCheck]:
    """Check a double: PostgreSQL takes 1e-999 as numeric, but not as double precision."""
    beyond = _of("{}::numeric NOT BETWEEN {} AND {}", field, limits.ge, limits.le)
    too_fine = _of("NOT pg_input_is_valid({}::numeric::text, 'double precision')", field)
    return [*_numeric(field), RowCheck(field, code, beyond), RowCheck(field, "too_fine", too_fine)]


def _money(field: LiteralString, code: LiteralString) -> list[RowCheck]:
    return [
        *_numeric(field),
        RowCheck(field, code, _of("{}::numeric < 0", field)),
        RowCheck(field, "too_large", _of("round({}::numeric, 2) > {}", field, LARGEST_AMOUNT)),
    ]


def _of(condition: LiteralString, field: LiteralString, *values: object) -> sql.Composed:
    return sql.SQL(condition).format(column(field), *map(sql.Literal, values))
