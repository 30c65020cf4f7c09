"""The end of the columns' way: who acted becomes a customer, who objected meanwhile is nobody, lines become the record.

All of it is in the import's own transactions: before the last one ends nothing of the lines is seen.
"""

from collections.abc import Sequence
from datetime import datetime

from psycopg import sql

from recommendations.store.events import bulk_append
from recommendations.store.events.bulk_append import Month
from recommendations.store.events.made_ids import made_of
from recommendations.store.events.mergers import Merger
from recommendations.store.events.partitions import month_after
from recommendations.store.imports import erased_ids
from recommendations.store.imports.columnar.month_tables import OwnTable
from recommendations.store.imports.columnar.sieve import EventSieve
from recommendations.store.temp_tables import Report, rows, run

_PUT_BACK = """
DELETE FROM {lines} lines USING (
  SELECT DISTINCT CASE WHEN pg_input_is_valid(event_id, 'uuid') THEN event_id::uuid ELSE {made} END AS event_id
  FROM staged WHERE event_id IS NOT NULL
) staged WHERE staged.event_id = lines.event_id
"""
_NEW = """
INSERT INTO recommendations_customer (id, pseudonym, kind, personalise, created_at, properties)
SELECT id, pseudonym, kind, true, %(now)s::timestamptz, '{{}}' FROM {people} WHERE is_new ORDER BY pseudonym
ON CONFLICT DO NOTHING
"""
_TAKEN = """
SELECT people.id, customer.id FROM {people} people JOIN recommendations_customer customer USING (pseudonym)
WHERE people.id <> customer.id
"""
_CHANGE = "UPDATE {table} SET {column} = %(now)s WHERE {column} = %(before)s"
_PAIRS = "SELECT anonymous, customer, min(at) FROM {pairs} GROUP BY 1, 2"
_OBJECTORS = """
SELECT customer.id, personalise FROM {people} people JOIN recommendations_customer customer USING (id)
WHERE NOT (personalise AND measure)
"""
_UNNAME = """
UPDATE {lines} SET customer_id = NULL, session_id = NULL, recommendation_id = NULL,
  transaction_id = CASE WHEN transaction_id IS NOT NULL THEN event_id::text END
WHERE customer_id = ANY(%(people)s::bigint[])
"""
_UNMEASURE = "UPDATE {lines} SET recommendation_id = NULL WHERE customer_id = ANY(%(people)s::bigint[])"


class Settlement:
    """What a sieve took, on its way into the record."""

    def __init__(self, sieve: EventSieve) -> None:
        self._sieve, self._tables = sieve, sieve.tables

    @property
    def free(self) -> set[datetime]:
        """The months that become partitions as they are."""
        return {each.start for each in self._tables.free}

    @property
    def months(self) -> list[Month]:
        """The months of the lines that were taken, with how many those were."""
        return self._tables.months

    def build_keys(self, report: Report) -> None:
        self._tables.build_keys(report)

    def make_way(self) -> None:
        self._tables.make_way()

    def put_back(self) -> None:
        """Take those lines out whose events are in the stage."""
        made = made_of(sql.Identifier("event_id"))
        for each in self._tables.all:
            each.lines -= run(sql.SQL(_PUT_BACK).format(lines=each.identifier, made=made))

    def add_customers(self, *, now: datetime) -> list[Merger]:
        """Add who is new; the mergers of those who were seen under two ids."""
        people, pairs = self._sieve.people, self._sieve.pairs
        run(sql.SQL(_NEW).format(people=people), now=now)
        for before, key in rows(sql.SQL(_TAKEN).format(people=people)):  # somebody else added them meanwhile
            places = [(each.identifier, "customer_id") for each in self._tables.all]
            for table, column in [*places, (pairs, "anonymous"), (pairs, "customer"), (people, "id")]:
                run(sql.SQL(_CHANGE).format(table=table, column=sql.Identifier(column)), before=before, now=key)
        return [Merger(*pair) for pair in rows(sql.SQL(_PAIRS).format(pairs=pairs))]

    def drop_erased(self) -> int:
        """Take out the lines of people who were erased since the file was opened; how many."""
        if not erased_ids.erased_since(self._sieve.began):
            return 0
        erased_ids.mind_people(self._sieve.people)
        dropped = 0
        for each in self._tables.all:
            gone = erased_ids.drop_lines(each.identifier)
            each.lines -= gone
            dropped += gone
        return dropped

    def append(self, *, ready: Sequence[Month], report: Report) -> int:
        """Make the lines the record's, with the ready ones of free months; how many are new."""
        self._unname()
        months = {month.start for month in ready}
        for each in self._tables.free:
            if each.start in months:
                span = {"start": each.start, "end": month_after(each.start)}
                each.lines += bulk_append.insert(bulk_append.READY, each.name, source="import", **span)
                run("DELETE FROM ready_event WHERE occurred_at >= %(start)s AND occurred_at < %(end)s", **span)
        others = [month for month in self._tables.months if month.start not in self.free]
        new = self._append(self._tables.other, others, report) if self._tables.other else 0
        blocked = self._tables.blocked()
        for each in self._tables.free:
            if each in blocked:
                new += self._append(each, [Month(each.start, each.lines)], report)
            else:
                bulk_append.note_due(each.name)
                self._tables.attach(each)
                new += each.lines
        return new

    def _append(self, each: OwnTable, months: Sequence[Month], report: Report) -> int:
        return bulk_append.append(months, source="import", report=report, step="events", table=each.name)

    def _unname(self) -> None:
        """Leave those unnamed who objected since they were looked up."""
        objectors = rows(sql.SQL(_OBJECTORS).format(people=self._sieve.people))
        for statement, chosen in (
            (_UNNAME, [key for key, personalise in objectors if not personalise]),
            (_UNMEASURE, [key for key, personalise in objectors if personalise]),
        ):
            for each in self._tables.all if chosen else ():
                run(sql.SQL(statement).format(lines=each.identifier), people=chosen)
