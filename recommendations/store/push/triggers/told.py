"""The shop says so: what it asked for, from the moment on that it named."""

from recommendations.store.push.triggers.look import ALIAS, IN_VIEW, Happening, TriggerLook
from recommendations.store.temp_tables import rows

# By the index of a campaign's occasions. What was said of a visitor counts for the customer they are.
_TOLD = f"""
WITH {{asked}} told AS (
  SELECT coalesce(alias.customer_id, said.customer_id) AS person, said.key, said.item_id AS item, said.at
  FROM recommendations_shopoccasion said LEFT JOIN {ALIAS} = said.customer_id
  WHERE said.campaign_id = %(campaign)s AND said.at >= %(oldest)s AND said.at <= %(now)s
)
SELECT DISTINCT ON (told.person, told.key) told.person, told.key, told.item, told.at
FROM told JOIN recommendations_customer customer ON customer.id = told.person
WHERE {IN_VIEW} {{theirs}}
ORDER BY told.person, told.key, told.at
"""  # noqa: S608 - parts of our own


def told_by_the_shop(look: TriggerLook, *, campaign: int) -> list[Happening]:
    """What the shop asked the campaign (by key) for."""
    theirs = "AND told.person IN (SELECT person FROM asked)" if look.standing else ""
    values = look.bounds() | {"campaign": campaign}
    return [Happening(*row) for row in rows(_TOLD.format(asked=look.asked, theirs=theirs), **values)]
