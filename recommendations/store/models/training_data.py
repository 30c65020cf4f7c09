"""Training data: what is for sale, what is planned and who follows whom, as frames and arrays for the engine."""

import io
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from django.conf import settings
from django.db.models import Count, Exists, F, Func, OuterRef, QuerySet, TextField, Value
from psycopg import sql

from recommendations.engine.frames import Promotions
from recommendations.engine.ids import IdMap, id_map
from recommendations.engine.preprocess.matrix import ItemAttributes
from recommendations.engine.preprocess.terms import description, membership, term_counts
from recommendations.event_types import EventName
from recommendations.models import Category, Customer, Event, Item
from recommendations.store.models.measurements import departments
from recommendations.store.temp_tables import copying
from recommendations.terms import QuarantineState, Trust

ITEMS = """
COPY (
  SELECT item.id, item.title, item.brand, coalesce(item.attributes ->> 'size', ''), left(item.description, {longest}),
         array_to_string(item.tags, ' '),
         (SELECT string_agg(value, ' ' ORDER BY key) FROM jsonb_each_text(item.attributes)), item.creator,
         item.collection, item.price,
         item.cost, CASE WHEN item.availability = 'in_stock' THEN item.available_quantity END,
         extract(epoch FROM item.listed_at) / 86400.0, string_agg(category.id::text, ' '),
         string_agg(category.path, '|')
  FROM recommendations_item item
  LEFT JOIN recommendations_item_categories link ON link.item_id = item.id
  LEFT JOIN recommendations_category category ON category.id = link.category_id
  GROUP BY item.id ORDER BY item.id
) TO STDOUT (FORMAT csv)
"""
# A week begins at midnight in the shop's time zone, where its leaflets are read.
PROMOTIONS = """
COPY (
  SELECT item_id, extract(epoch FROM week::timestamp AT TIME ZONE {zone}) / 86400.0, display, mailer
  FROM recommendations_promotion WHERE week >= {since} AND week < {until}
) TO STDOUT (FORMAT csv)
"""
# Of who objects to personal answers, or is set aside, nothing is lent to others, and they are lent nothing. A follow is
# believed of the shop's server, and of a page with a proof: others could say it in somebody's name.
LINKS = """
COPY (
  SELECT follower.id, followed.id, extract(epoch FROM event.occurred_at) / 86400.0, (event.name = 'follow')::text
  FROM events_to_personalise event
  JOIN recommendations_customer follower ON follower.id = event.person_id
  JOIN recommendations_customer named ON named.pseudonym = decode(event.target_id, 'hex')
  LEFT JOIN recommendations_customeralias other ON other.anonymous_id = named.id AND other.undone_at IS NULL
  JOIN recommendations_customer followed ON followed.id = coalesce(other.customer_id, named.id)
  WHERE event.name IN ('follow', 'unfollow') AND event.target_type = 'customer' AND event.occurred_at < {until}
    AND event.target_id ~ '^([0-9a-f]{{2}})+$' AND follower.personalise AND followed.personalise
    AND event.trust >= {proven}
    AND NOT EXISTS (
      SELECT FROM recommendations_aside aside
      JOIN recommendations_quarantine quarantine ON quarantine.id = aside.quarantine_id
      WHERE quarantine.state <> {restored} AND aside.customer_id IN (follower.id, followed.id))
  ORDER BY event.occurred_at, event.event_id
) TO STDOUT (FORMAT csv)
"""
LONGEST_TEXT = 2_000  # characters of a description: after them little is said that is new
SAID = ("title", "brand", "creator", "collection", "paths", "tags", "values", "description")
DAY = timedelta(days=1)
PAST = timedelta(days=364)  # of the plan before a cut: the same week of last year, too
PLANNED = timedelta(days=28)  # after a cut: what the windows of an evaluation are long
ITEM_TYPES = {
    "id": pa.int64(),
    "title": pa.string(),
    "brand": pa.string(),
    "size": pa.string(),
    "description": pa.string(),
    "tags": pa.string(),
    "values": pa.string(),
    "creator": pa.string(),
    "collection": pa.string(),
    "price": pa.float32(),
    "cost": pa.float32(),
    "stock": pa.float32(),
    "listed_at": pa.float64(),
    "categories": pa.string(),
    "paths": pa.string(),
}
LINK_TYPES = {"follower": pa.int64(), "followed": pa.int64(), "at": pa.float64(), "follows": pa.bool_()}
PROMOTION_TYPES = {"item": pa.int64(), "start": pa.float64(), "display": pa.float32(), "mailer": pa.float32()}


def newest_event(*, until: datetime) -> datetime | None:
    """When the last act before ``until`` happened that the shop itself told of; None where there is none.

    Where only pages have told of any it is the last of theirs: otherwise nobody's page moves the end of the history.
    """
    acts = Event.objects.to_personalise().filter(occurred_at__lt=until)
    newest = acts.order_by("-occurred_at").values_list("occurred_at", flat=True)
    return newest.filter(trust__gte=Trust.SERVER).first() or newest.first()


def arrivals(*, since: datetime | None, until: datetime) -> dict[str, int]:
    """Events that happened before ``until``, and how many of them were received after ``since``."""
    events = Event.objects.filter(occurred_at__lt=until)
    everything = events.aggregate(events=Count("*"), customers=Count("customer", distinct=True))
    new = events.filter(received_at__gt=since).count() if since else everything["events"]
    return everything | {"new": new}


def link_frame(*, until: datetime) -> pd.DataFrame:
    """Every time that a customer began or ceased to follow another one, the oldest first."""
    table = copy_table(LINKS, LINK_TYPES, until=until, restored=QuarantineState.RESTORED, proven=int(Trust.PROVEN))
    return pd.DataFrame(table.to_pandas())


def unknown_follows(*, until: datetime) -> dict[str, int]:
    """How many follow events name somebody or something that the record does not have, by kind."""
    hexed = Func(F("pseudonym"), Value("hex"), function="encode", output_field=TextField())
    known: dict[str, QuerySet[Any]] = {
        "customer": Customer.objects.annotate(hexed=hexed).filter(hexed=OuterRef("target_id")),
        "brand": Item.objects.filter(brand=OuterRef("target_id")),
        "category": Category.objects.filter(path=OuterRef("target_id")),
        "creator": Item.objects.filter(creator=OuterRef("target_id")),
        "collection": Item.objects.filter(collection=OuterRef("target_id")),
    }
    follows = Event.objects.filter(name=EventName.FOLLOW, occurred_at__lt=until)
    return {
        kind: follows.filter(~Exists(those), target_type=kind, target_id__isnull=False).count()
        for kind, those in known.items()
    }


def item_attributes() -> tuple[ItemAttributes, IdMap]:
    """Attributes of every item, and the ids of the category columns."""
    items = pd.DataFrame(copy_table(ITEMS, ITEM_TYPES, longest=LONGEST_TEXT).to_pandas())
    columns = id_map(np.fromiter(Category.objects.values_list("pk", flat=True), np.int64))
    keys = [[int(key) for key in value.split()] for value in items["categories"].fillna("")]
    attributes = ItemAttributes(
        ids=items["id"].to_numpy(np.int64),
        categories=membership([columns.rows(np.array(row, np.int64)) for row in keys], n_columns=len(columns)),
        terms=term_counts(_tokens(items)),
        price=items["price"].to_numpy(np.float32),
        listed_at=items["listed_at"].to_numpy(np.float64),
        cost=items["cost"].to_numpy(np.float32),
        stock=items["stock"].to_numpy(np.float32),
        texts=_texts(items),
        departments=departments(columns)[1],
    )
    return attributes, columns


def promotion_frame(*, first: datetime, last: datetime) -> pd.DataFrame:
    """Promotions for all cuts from ``first`` to ``last``: item key, start (days since 1970-01-01), shares.

    A plan is known before its weeks begin, so that a cut may see those after it; who bought what in them it may not.
    """
    since, until = (first - PAST).date() - DAY, (last + PLANNED).date() + DAY  # dates differ between time zones
    table = copy_table(PROMOTIONS, PROMOTION_TYPES, zone=settings.SHOP_TIME_ZONE, since=since, until=until)
    return pd.DataFrame(table.to_pandas())


def promotions_at(cut: float, frame: pd.DataFrame, items: IdMap) -> Promotions | None:
    """Promotions of the year before a cut and of the 28 days after it (by start), for these items; None without any."""
    start, row = frame["start"].to_numpy() - cut, items.rows(frame["item"].to_numpy())
    mask = (row >= 0) & (start >= -PAST.days) & (start < PLANNED.days)
    if not mask.any():
        return None
    return Promotions(
        item=row[mask],
        start=start[mask].astype(np.float32),
        display=frame["display"].to_numpy(np.float32)[mask],
        mailer=frame["mailer"].to_numpy(np.float32)[mask],
    )


def _tokens(items: pd.DataFrame) -> Iterator[list[str]]:
    columns = items[["title", "brand", "size", "paths", "creator", "collection"]].fillna("")
    for title, brand, size, paths, *made in columns.itertuples(index=False, name=None):
        yield description(title, brand=brand, size=size, paths=paths.split("|") if paths else [], made=made)


def _texts(items: pd.DataFrame) -> list[str]:
    """All that the catalogue says of each item in words."""
    rows = items[[*SAID]].fillna("").itertuples(index=False, name=None)
    return [" ".join(part for part in row if part) for row in rows]


def copy_table(query: str, types: dict[str, pa.DataType], **values: date | str | int) -> pa.Table:
    statement = sql.SQL(query).format(**{name: sql.Literal(value) for name, value in values.items()})
    buffer = io.BytesIO()
    with copying(statement) as copied:
        for block in copied:
            buffer.write(block)
    if not buffer.tell():
        return pa.table({name: pa.array([], kind) for name, kind in types.items()})
    buffer.seek(0)
    return pyarrow.csv.read_csv(
        buffer,
        read_options=pyarrow.csv.ReadOptions(column_names=list(types), block_size=1 << 24),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True),
    )
