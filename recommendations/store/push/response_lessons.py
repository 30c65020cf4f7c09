"""Campaigns that are over, as lessons of who answers: those of another system, and ours once there are enough of them.

Ours are sendings: one is over when its campaign has ended and what was bought after it is known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from recommendations.engine.push.response import FEATURES, LEAST_ANSWERS, LEAST_CAMPAIGNS, Receipts
from recommendations.event_types import EventName
from recommendations.models import Campaign, ImportedReceipt
from recommendations.push_terms import CampaignKind, MessageState
from recommendations.store.models.model import days
from recommendations.store.push.response_facts import columns_of
from recommendations.store.temp_tables import rows

KNOWN_AFTER = timedelta(days=7)  # after the end of a campaign of ours: later purchases count for none of its messages
MOST_SENDINGS = 200  # the last ones
MOST_RECEIPTS = 20_000  # of a sending; of more a part stands for all
IMPORTED, OWN = "imported", "own"

_SENDINGS = f"""
SELECT occurrence.id, occurrence.due_at, campaign.ended_at, campaign.id FROM recommendations_occurrence occurrence
JOIN recommendations_campaign campaign ON campaign.id = occurrence.campaign_id
WHERE campaign.ended_at <= %(over)s AND EXISTS (
  SELECT FROM recommendations_message message
  WHERE message.occurrence_id = occurrence.id AND message.state = '{MessageState.TAKEN}')
ORDER BY occurrence.due_at DESC LIMIT %(most)s
"""  # noqa: S608 - words of our own
_TAKEN = f"""
SELECT DISTINCT ON (message.customer_id) message.customer_id, message.items, EXISTS (
  SELECT FROM recommendations_attributedline line WHERE line.recommendation_id = message.recommendation_id
    AND line.name = '{EventName.PURCHASE}' AND line.kept)
FROM recommendations_message message
WHERE message.occurrence_id = %(occurrence)s AND message.state = '{MessageState.TAKEN}'
ORDER BY message.customer_id, message.id LIMIT %(most)s
"""  # noqa: S608


@dataclass(frozen=True, kw_only=True, eq=False)
class ResponseLessons:
    """Receipts of campaigns that are over, and whose they are; ``campaigns`` and ``answers`` are all that there are."""

    receipts: Receipts
    source: str
    campaigns: int
    answers: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """The receipts of one campaign."""

    columns: np.ndarray
    answered: np.ndarray
    starts: float
    ends: float


def response_lessons(*, now: datetime) -> ResponseLessons:
    """Lessons of ours alone where they are enough, else of all; campaigns go by the moments of their start."""
    own = list(_own(now=now))
    campaigns = len({campaign for campaign, _ in own})
    answers = sum(int(part.answered.sum()) for _, part in own)
    if campaigns >= LEAST_CAMPAIGNS and answers >= LEAST_ANSWERS:
        return ResponseLessons(
            receipts=_joined([part for _, part in own]), source=OWN, campaigns=campaigns, answers=answers
        )
    imported = list(_imported(now=now))
    return ResponseLessons(
        receipts=_joined(imported), source=IMPORTED, campaigns=len(imported),
        answers=sum(int(part.answered.sum()) for part in imported),
    )  # fmt: skip


def _imported(*, now: datetime) -> Iterator[_Part]:
    """Campaigns of another system that are over, the first to start first."""
    stored = Campaign.objects.filter(kind=CampaignKind.IMPORTED)
    moments = [
        (datetime.fromisoformat(each.draft["starts"]), datetime.fromisoformat(each.draft["ends"]), each)
        for each in stored
    ]
    for starts, ends, campaign in sorted(moments, key=lambda each: (each[0], each[2].pk)):
        if ends > now:
            continue
        got = dict(
            ImportedReceipt.objects.filter(campaign=campaign).order_by("customer").values_list("customer", "answers")
        )
        if not got:
            continue
        people, kind = list(got)[:MOST_RECEIPTS], campaign.draft.get("description", "")
        items = campaign.draft.get("items", [])
        columns = columns_of(
            people, at=starts, items=items, size=len(items), broad=kind == "TypeA", chosen=kind == "TypeB"
        )
        answered = np.array([got[person] > 0 for person in people])
        yield _Part(columns=columns, answered=answered, starts=days(starts), ends=days(ends))


def _own(*, now: datetime) -> Iterator[tuple[int, _Part]]:
    """The last sendings of campaigns of ours that are over, the first first, with their campaign."""
    sendings = rows(_SENDINGS, over=now - KNOWN_AFTER, most=MOST_SENDINGS)
    for occurrence, due_at, ended_at, campaign in reversed(sendings):
        taken = rows(_TAKEN, occurrence=occurrence, most=MOST_RECEIPTS)
        people = [person for person, _, _ in taken]
        columns = columns_of(people, at=due_at, own_items={person: items for person, items, _ in taken})
        answered = np.array([yes for _, _, yes in taken], np.bool_)
        yield (
            campaign,
            _Part(columns=columns, answered=answered, starts=days(due_at), ends=days(ended_at + KNOWN_AFTER)),
        )


def _joined(parts: Sequence[_Part]) -> Receipts:
    none = [np.empty((0, len(FEATURES)))]
    return Receipts(
        campaign=np.repeat(np.arange(len(parts), dtype=np.int32), [len(part.answered) for part in parts]),
        columns=np.concatenate([part.columns for part in parts] or none),
        answered=np.concatenate([part.answered for part in parts] or [np.empty(0, np.bool_)]),
        starts=np.array([part.starts for part in parts]),
        ends=np.array([part.ends for part in parts]),
    )
