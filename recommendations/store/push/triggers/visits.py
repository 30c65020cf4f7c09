"""Long not seen: a customer has not bought for longer than they ever used to let pass."""

from datetime import timedelta

from django.conf import settings

from recommendations.store.push.triggers.look import ALIAS, BOUGHT, IN_VIEW, STANDS, Happening, TriggerLook, day_of
from recommendations.store.temp_tables import rows

LOOKS_BACK = timedelta(days=730)
GAPS = 3  # own mean gaps of silence
LEAST = 3  # days with a purchase, from which a gap is known
LASTS = timedelta(days=30)  # from the moment that the silence is that long

# All purchases of two years are read, by their moments: seconds to half a minute in a large shop. One look a day is
# enough.
_SILENT = f"""
WITH {{asked}} visit AS (
  SELECT coalesce(alias.customer_id, each.key) AS person, each.day, max(each.last) AS last
  FROM (
    SELECT event.customer_id AS key, (event.occurred_at AT TIME ZONE %(zone)s)::date AS day,
      max(event.occurred_at) AS last
    FROM recommendations_event event
    WHERE event.occurred_at > %(begin)s AND event.occurred_at <= %(now)s AND event.customer_id IS NOT NULL {{theirs}}
      AND {BOUGHT}
    GROUP BY 1, 2
  ) each LEFT JOIN {ALIAS} = each.key GROUP BY 1, 2
), regular AS (
  SELECT person, max(last) AS last, greatest(%(least)s, make_interval(secs =>
    {GAPS} * 86400.0 * (max(day) - min(day)) / (count(*) - 1))) AS silence
  FROM visit GROUP BY 1 HAVING count(*) >= {LEAST}
)
SELECT regular.person, last, last + silence FROM regular
JOIN recommendations_customer customer ON customer.id = regular.person
WHERE last + silence >= %(oldest)s AND last + silence < %(newest)s AND {IN_VIEW}
ORDER BY regular.person
"""  # noqa: S608 - parts of our own


def long_not_seen(look: TriggerLook, *, days: int) -> list[Happening]:
    """Who has bought nothing for three times their own mean gap and for so many days, for thirty days at most."""
    bounds = look.bounds(lasts=LASTS)
    silent = rows(
        _SILENT.format(asked=look.asked, theirs=look.theirs), **bounds, zone=settings.SHOP_TIME_ZONE,
        begin=look.now - LOOKS_BACK - STANDS, least=timedelta(days=days),
    )  # fmt: skip
    return [Happening(person, day_of(last), None, at) for person, last, at in silent]
