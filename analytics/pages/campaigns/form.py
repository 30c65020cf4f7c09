"""The editor's form: what was typed becomes a draft, whatever it says; what is wrong stands beside it.

What is no number stays in the draft as it was typed, so that nothing is lost and the approval refuses it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from analytics.pages.campaigns.parsing import (
    ABOUT,
    CHANNELS,
    LINES,
    OCCASION,
    as_list,
    as_text,
    draft_of,
    local_text,
)
from analytics.parameters import typed
from recommendations.models import Audience, Campaign
from recommendations.push_terms import Channel
from recommendations.services.campaigns.form import MOST_BLOCKS, MOST_SUBJECTS, ContextItem
from recommendations.services.campaigns.lifecycle import LONGEST_NAME
from recommendations.services.campaigns.linter import CampaignFinding
from recommendations.services.campaigns.presets import ITSELF

STEPS = ("who", "what", "when", "safety", "review")
STEP_OF = {"occasion": "who", "": "review"}


class BlockRow(NamedTuple):
    """A list of the message as it stands in the form; ``list`` is empty where there is none."""

    number: int
    list: str
    n: str
    price_to: str
    categories: Sequence[str]

    @property
    def prefix(self) -> str:
        return f"block-{self.number}"


class TextRows(NamedTuple):
    """The texts of a language as they stand in the form."""

    code: str
    name: str
    subjects: Sequence[str]
    lines: Mapping[str, str]

    @property
    def written(self) -> bool:
        return any(self.subjects) or any(self.lines.values())


class CampaignEditor:
    """Everything in the form; ``problems`` by field."""

    def __init__(self, campaign: Campaign, name: str, draft: Mapping[str, Any], rows: Sequence[int] = ()) -> None:
        self.campaign, self.name, self.draft = campaign, name, dict(draft)
        self._rows = list(rows)  # in which row of the form each list stands
        self.problems: dict[str, str] = {}

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        return cls(campaign, campaign.name, campaign.draft)

    @classmethod
    def sent(cls, campaign: Campaign, data: QueryDict) -> Self:
        rows = [row for row in range(MOST_BLOCKS) if data.get(f"block-{row}-list")]
        draft = {**campaign.draft, **draft_of(data, rows)}
        return cls(campaign, typed(data.get("name"), longest=2 * LONGEST_NAME), draft, rows)

    def complain(self, findings: Iterable[CampaignFinding]) -> None:
        """Put what refuses an approval beside its field."""
        for each in findings:
            if each.refuses and each.pointer:
                field = self.field_of(each.pointer)
                self.problems[field] = " ".join(filter(None, (self.problems.get(field), each.text)))

    def problems_of(self, step: str) -> int:
        """How many fields of a step have a complaint."""
        return sum(1 for field in self.problems if step_of_field(field) == step)

    # --- fields, as the page shows them

    @property
    def fields(self) -> dict[str, str]:
        """Values of the fields that stand alone."""
        when, safety, occasion = (self._part(name) for name in ("when", "safety", "occasion"))
        goal = self._goal
        held, least = safety.get("holdout", 0), self._part("what").get("least_chance", 0)
        return {
            "endpoint": as_text(self.draft.get("endpoint")),
            "layout": as_text(self._part("what").get("layout", "tiles")),
            "least_items": as_text(self._part("what").get("least_items", 3)),
            **{name: as_text(occasion.get(name, usual)) for name, usual in OCCASION.items()},
            **{name: local_text(when.get(name)) for name in ("starts_at", "ends_at")},
            "hour": as_text(when.get("hour"))[:5],
            "clock": as_text(when.get("clock", "customer")),
            "best_within": as_text(when.get("best_within")),
            "best_channel": "yes" if when.get("best_channel") else "",
            "expires_hours": as_text(when.get("expires_hours", 72)),
            "least_chance": percent_text(least) if least else "",
            "holdout": percent_text(held),
            "priority": as_text(safety.get("priority", "campaign")),
            "per_day": as_text(safety.get("per_day")),
            "goal": as_text(goal.get("kind", "shown")),
            "goal_days": as_text(goal.get("days", 7)),
        }

    @property
    def channels(self) -> list[tuple[str, str]]:
        """Fields of the channels with what each has, the preferred one first."""
        stored = [*map(as_text, as_list(self.draft.get("channels")) or [Channel.EMAIL.value])]
        return list(zip(CHANNELS, (stored + [""] * len(CHANNELS))[: len(CHANNELS)], strict=True))

    @property
    def weekdays(self) -> list[int]:
        return [day for day in as_list(self._part("when").get("weekdays")) if isinstance(day, int)]

    @property
    def goal_categories(self) -> list[str]:
        return [*map(str, as_list(self._goal.get("categories")))]

    @property
    def any_of(self) -> list[int]:
        return [key for key in as_list(self._part("who").get("any_of")) if isinstance(key, int)]

    @property
    def none_of(self) -> list[int]:
        return [key for key in as_list(self._part("who").get("none_of")) if isinstance(key, int)]

    @property
    def texts(self) -> Iterator[TextRows]:
        texts = self._part("what").get("texts")
        for code, name in settings.LANGUAGES:
            own = texts.get(code, {}) if isinstance(texts, Mapping) else {}
            subjects = [*map(as_text, as_list(own.get("subjects")))] + [""] * MOST_SUBJECTS
            lines = {line: as_text(own.get(line)) for line in LINES}
            yield TextRows(code, str(name), subjects[:MOST_SUBJECTS], lines)

    @property
    def blocks(self) -> list[BlockRow]:
        """All rows, those without a list among them."""
        stored = [each for each in as_list(self._part("what").get("blocks")) if isinstance(each, Mapping)]
        rows = self._rows or range(len(stored))
        by_row = {row: _row(row, block) for row, block in zip(rows, stored, strict=False)}
        return [by_row.get(row, BlockRow(row, "", "", "", ())) for row in range(MOST_BLOCKS)]

    def field_of(self, pointer: str) -> str:
        """The field that a place of the draft is typed into; its part where it is none."""
        part, *rest = pointer.strip("/").split("/")
        if part == "channels":
            rest = [f"channel-{rest[0]}" if rest else CHANNELS[0]]
        match (part, rest):
            case ("what", ["blocks", place, name, *_more]) if place.isdigit():
                row = self._rows[int(place)] if int(place) < len(self._rows) else int(place)
                return f"block-{row}-{'list' if name in {'placement', 'context'} else name}"
            case ("what", ["blocks", *_more]):
                return "block-0-list"
            case ("what", ["texts", code, "subjects", place, *_more]):
                return f"{code}-subject-{place}"
            case ("what", ["texts", code, name]) if name in LINES:
                return f"{code}-{name}"
            case ("what", ["texts", code, *_more]):
                return f"{code}-subject-0"
            case ("safety", ["goal", name, *_more]):
                return {"kind": "goal", "days": "goal_days"}.get(name, "goal_categories")
        return rest[0] if rest else part

    @property
    def _goal(self) -> Mapping[str, Any]:
        goal = self._part("safety").get("goal")
        return goal if isinstance(goal, Mapping) else {}

    def _part(self, name: str) -> Mapping[str, Any]:
        part = self.draft.get(name)
        return part if isinstance(part, Mapping) else {}


def percent_text(value: Any) -> str:
    """A share as its field has it; what is none stays as it was typed."""
    return f"{round(value * 100, 4):g}" if isinstance(value, int | float) else as_text(value)


def step_of(pointer: str) -> str:
    """The step of the editor in which a place of the draft is."""
    part = pointer.strip("/").partition("/")[0]
    return STEP_OF.get(part, part)


def step_of_field(field: str) -> str:
    if field in {"any_of", "none_of", "who", "occasion", *OCCASION}:
        return "who"
    if field in {
        "starts_at",
        "ends_at",
        "weekdays",
        "hour",
        "clock",
        "best_within",
        "best_channel",
        "expires_hours",
        "when",
    }:
        return "when"
    if field in {"holdout", "priority", "per_day", "goal", "goal_categories", "goal_days", "safety"}:
        return "safety"
    return "what"


def _row(number: int, block: Mapping[str, Any]) -> BlockRow:
    about = ABOUT if block.get("context") == ContextItem.TRIGGER else ""
    price = block.get("price_to")
    return BlockRow(
        number=number,
        list=f"{about}{block.get('placement', '')}",
        n=as_text(block.get("n", 6)),
        price_to=f"{price:g}" if isinstance(price, int | float) else as_text(price),
        categories=[*map(str, as_list(block.get("categories")))],
    )


def list_choices(
    placements: Sequence[tuple[str, str]], *, triggered: bool, needing: Iterable[str]
) -> list[tuple[str, str]]:
    """What the lists of a message may show: about the item of the occasion, where there is one, and of the customer.

    ``needing`` are placements that make sense about an item alone.
    """
    own = [(name, words) for name, words in placements if name not in {ITSELF, *needing}]
    if not triggered:
        return own
    names = dict(placements)
    itself = [(f"{ABOUT}{ITSELF}", _("The item that it is about"))] if ITSELF in names else []
    about = [
        (f"{ABOUT}{name}", _("%(list)s – to that item") % {"list": names[name]}) for name in needing if name in names
    ]
    return [*itself, *about, *own]


def audience_choices(editor: CampaignEditor) -> list[tuple[int, str, int | None]]:
    """Key, name and size of the audiences to choose from; a chosen one that is archived stays, without a size."""
    rows = [(each.pk, each.name, each.size) for each in Audience.objects.unarchived()]
    gone = {*editor.any_of, *editor.none_of} - {key for key, *_rest in rows}
    names = dict(Audience.objects.filter(pk__in=gone).values_list("pk", "name")) if gone else {}
    return [*rows, *((key, names.get(key, str(key)), None) for key in sorted(gone))]
