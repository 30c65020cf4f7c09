"""Looked at and not bought: an item again and again, or several items of a category."""

from collections.abc import Collection
from datetime import timedelta

from recommendations.event_types import EventName
from recommendations.store.push.triggers.look import BOUGHT, Happening, TriggerLook, acts, day_of, people_by_acts
from recommendations.store.temp_tables import rows

WITHIN = timedelta(hours=72)
OF_CATEGORY = 3  # items
LOOKS_BACK = timedelta(days=30)
"""For the first view: who looked every three days for as long has no first one, and is not reminded any more."""

# Views of a topic, which is an item or a category, form a stretch as long as the next one comes within 72 hours. Of a
# category there have to be three items within 72 hours. Where views of one item in a row are a run, then three runs in
# a row are of three items: whichever third item comes first, comes after a run of each of the two others.
_LOOKS = f"""
{{people}}, view AS MATERIALIZED (
  SELECT key.person, each.* FROM key CROSS JOIN LATERAL (
    SELECT event.item_id AS item, event.occurred_at AS at FROM recommendations_event event
    WHERE event.customer_id = key.key AND event.occurred_at >= %(begin)s AND event.occurred_at <= %(now)s
      AND event.item_id IS NOT NULL AND {acts(EventName.VIEW_ITEM)} OFFSET 0) each
), bought AS MATERIALIZED (
  SELECT key.person, each.item, max(each.at) AS at FROM key CROSS JOIN LATERAL (
    SELECT event.item_id AS item, event.occurred_at AS at FROM recommendations_event event
    WHERE event.customer_id = key.key AND event.occurred_at >= %(begin)s AND event.occurred_at <= %(now)s
      AND event.item_id IS NOT NULL AND {BOUGHT} OFFSET 0) each
  GROUP BY 1, 2
), looked AS (
  SELECT person, false AS wide, item AS topic, item, at FROM view
  UNION ALL
  SELECT person, true, own.category_id, item, at FROM view
  JOIN recommendations_item_categories own ON own.item_id = item
), ended AS MATERIALIZED (
  SELECT person, false AS wide, item AS topic, at FROM bought
  UNION ALL
  SELECT person, true, own.category_id, max(at) FROM bought
  JOIN recommendations_item_categories own ON own.item_id = item GROUP BY 1, 2, 3
), marked AS (
  SELECT *, coalesce(at - lag(at) OVER topic > %(within)s, true) AS begins,
    lag(item) OVER topic IS DISTINCT FROM item AS changes,
    coalesce(at - lag(at, %(views)s - 1) OVER topic <= %(within)s, false) AS often
  FROM looked WINDOW topic AS (PARTITION BY person, wide, topic ORDER BY at, item)
), numbered AS MATERIALIZED (
  SELECT *, count(*) FILTER (WHERE begins) OVER topic AS stretch,
    count(*) FILTER (WHERE begins OR changes) OVER topic AS run
  FROM marked WINDOW topic AS (PARTITION BY person, wide, topic ORDER BY at, item)
), run AS (
  SELECT person, topic, stretch, run, item, min(at) AS first, max(at) AS last FROM numbered WHERE wide
  GROUP BY 1, 2, 3, 4, 5
), several AS (
  SELECT DISTINCT person, topic, stretch FROM (
    SELECT person, topic, stretch,
      lag(item, 2) OVER topic <> item AND first - lag(last, 2) OVER topic <= %(within)s AS three
    FROM run WINDOW topic AS (PARTITION BY person, topic, stretch ORDER BY run)
  ) each WHERE three
), stretch AS MATERIALIZED (
  SELECT each.person, wide, each.topic, min(at) AS first, max(at) AS last,
    (array_agg(item ORDER BY at DESC, item DESC))[1] AS item
  FROM numbered each LEFT JOIN several ON each.wide AND several.person = each.person AND several.topic = each.topic
    AND several.stretch = each.stretch
  GROUP BY each.person, wide, each.topic, each.stretch
  HAVING min(at) > %(begin)s::timestamptz + %(within)s AND (bool_or(often AND NOT wide) OR count(several.person) > 0)
), unbought AS MATERIALIZED (
  SELECT * FROM stretch WHERE NOT EXISTS (
    SELECT FROM ended WHERE ended.person = stretch.person AND ended.wide = stretch.wide AND ended.topic = stretch.topic
      AND ended.at > stretch.first)
), single AS (
  SELECT person, own.category_id AS topic, max(last) AS last
  FROM unbought JOIN recommendations_item_categories own ON own.item_id = unbought.topic WHERE NOT wide GROUP BY 1, 2
)
SELECT one.person, one.wide, one.topic, one.item, one.first, one.last
FROM unbought one LEFT JOIN single ON one.wide AND single.person = one.person AND single.topic = one.topic
WHERE one.last >= %(oldest)s AND one.last <= %(newest)s
  AND (%(standing)s OR single.last IS NULL OR single.last < one.first)
ORDER BY one.person, one.last DESC, one.wide, one.topic
"""  # noqa: S608 - parts of our own


def looked_at(look: TriggerLook, *, views: int, hours: int, sellable: Collection[int]) -> list[Happening]:
    """Who looked at an item so often within 72 hours, or at three of a category, so many hours ago, and bought none.

    Of a person what was looked at last; a category counts where none of its items was looked at as often, and its key
    is the category's, so that one more item looked at is no new occasion.
    """
    wait = timedelta(hours=hours)
    bounds = look.bounds(wait)
    statement = _LOOKS.format(people=people_by_acts(look, EventName.VIEW_ITEM))
    begin = bounds["oldest"] - LOOKS_BACK
    looked = [
        Happening(person, f"{'c' if wide else ''}{topic}:{day_of(first)}", item, last + wait)
        for person, wide, topic, item, first, last in rows(statement, **bounds, begin=begin, within=WITHIN, views=views)
        if item in sellable
    ]
    if look.standing:
        return looked
    one_each: dict[int, Happening] = {}
    for each in looked:
        one_each.setdefault(each.customer, each)
    return list(one_each.values())
