"""How often campaigns are answered, and how many messages go out a day."""

from collections.abc import Collection, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from recommendations.engine.push.cases import EVERYTHING
from recommendations.models import Campaign
from recommendations.push_terms import COUNTING, MessageState
from recommendations.store.temp_tables import rows

PRIOR, PRIOR_MESSAGES = 0.01, 100.0  # a shop that has sent nothing yet: one of a hundred messages is answered
SHRINKS = 20.0  # messages at the purpose's rate that each campaign begins with

# An answer is a purchase that attribution counts for the list in the message.
_ANSWERS = """
SELECT campaign.id, campaign.purpose, count(message.id) AS taken,
  count(message.id) FILTER (WHERE EXISTS (
    SELECT FROM recommendations_attributedline line
    WHERE line.recommendation_id = message.recommendation_id AND line.name = 'purchase' AND line.kept)) AS answered
FROM recommendations_campaign campaign
LEFT JOIN recommendations_message message ON message.campaign_id = campaign.id AND message.state = %(taken)s
GROUP BY 1, 2
"""
_BY_DAY = """
SELECT campaign_id, (due_at AT TIME ZONE %(zone)s)::date AS day, count(*)
FROM recommendations_message WHERE state = ANY(%(states)s) AND due_at >= %(since)s
  AND id <> ALL(%(but)s)
GROUP BY 1, 2
"""


def chances(campaigns: Sequence[Campaign]) -> dict[int, float]:
    """Chance that a message of each campaign is answered, by its key: drawn towards that of its purpose."""
    stored = rows(_ANSWERS, taken=MessageState.TAKEN.value)
    own = {key: (taken, answered) for key, _purpose, taken, answered in stored}
    chance = {}
    for campaign in campaigns:
        alike = [(taken, answered) for _, purpose, taken, answered in stored if purpose == campaign.purpose]
        taken, answered = (sum(pair[place] for pair in alike) for place in (0, 1))
        rate = (answered + PRIOR * PRIOR_MESSAGES) / (taken + PRIOR_MESSAGES)
        taken, answered = own.get(campaign.pk, (0, 0))
        chance[campaign.pk] = (answered + SHRINKS * rate) / (taken + SHRINKS)
    return chance


def messages_by_day(*, now: datetime, zone: ZoneInfo, but: Collection[int] = ()) -> dict[tuple[int, int], int]:
    """Messages by campaign, or of all, and ordinal of the shop's day, from today on."""
    today = datetime.combine(now.astimezone(zone).date(), time(), zone)
    used: dict[tuple[int, int], int] = {}
    for campaign, day, count in rows(
        _BY_DAY, zone=zone.key, since=today, states=sorted(state.value for state in COUNTING), but=list(but)
    ):
        for key in ((campaign, day.toordinal()), (EVERYTHING, day.toordinal())):
            used[key] = used.get(key, 0) + count
    return used
