"""Worth of a contact, of whom nobody said more: a part of what an active customer spends."""

from datetime import datetime, timedelta

from recommendations.event_types import EventName
from recommendations.store.process_held import ProcessHeld
from recommendations.store.temp_tables import rows
from recommendations.terms import Trust

SPENDS = timedelta(days=90)
SHARE = 0.05
MOST_MEANS = 4  # of hours that a process remembers

_SPENT = f"""
SELECT sum(amount), count(DISTINCT customer_id) FROM recommendations_event
WHERE name = '{EventName.PURCHASE}' AND occurred_at > %(since)s AND occurred_at <= %(now)s AND trust >= {Trust.SERVER}
  AND customer_id IS NOT NULL
"""  # noqa: S608 - words of our own


class ContactWorths:
    """Worths as of the full hours at which this process was asked: a plan, its sending and the last look agree."""

    def __init__(self) -> None:
        self._worths: dict[datetime, float] = {}

    def as_of(self, now: datetime) -> float:
        """5 % of what an active customer spends in 90 days."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour not in self._worths:
            [(amount, customers)] = rows(_SPENT, since=hour - SPENDS, now=hour)
            last = sorted(self._worths)[1 - MOST_MEANS :]
            self._worths = {each: self._worths[each] for each in last}
            self._worths[hour] = SHARE * float(amount or 0) / customers if customers else 0.0
        return self._worths[hour]


contact_worths = ProcessHeld(ContactWorths)
