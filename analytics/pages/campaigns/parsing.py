"""What was typed into the editor of a campaign, as a draft; what is no number or moment stays as it was typed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from analytics.parameters import number, typed
from recommendations.push_terms import Channel
from recommendations.services.campaigns.form import LONGEST_TEXT, MOST_SUBJECTS, ContextItem

LONGEST = 2 * LONGEST_TEXT  # characters of a field
LINES = ("preheader", "heading", "intro", "button")
ABOUT = "about:"
"""Before the placement of a list that is about the item of the occasion."""
CHANNELS = tuple(f"channel-{place}" for place in range(len(Channel)))
"""Fields of the channels, the preferred first; an empty one is none."""
OCCASION: Mapping[str, int] = {"hours": 4, "views": 2, "percent": 10, "days": 30, "due_percent": 35}
"""The numbers of a trigger, and what they usually are."""


def draft_of(data: QueryDict, rows: Iterable[int]) -> dict[str, Any]:
    """What was sent, as a draft."""
    texts = {code: own for code, _name in settings.LANGUAGES if (own := _sent_texts(data, code))}
    return {
        "who": {
            side: sorted({key for text in data.getlist(side) if (key := number(text))})
            for side in ("any_of", "none_of")
        },
        "what": {
            "layout": _field(data, "layout"),
            "texts": texts,
            "blocks": [_sent_block(data, f"block-{row}") for row in rows],
            "least_items": _whole(_field(data, "least_items")),
            "least_chance": _percent(_field(data, "least_chance") or "0"),
        },
        "when": {
            "starts_at": _sent_moment(_field(data, "starts_at")) if data.get("starts") == "at" else None,
            "ends_at": _sent_moment(text) if (text := _field(data, "ends_at")) else None,
            "weekdays": sorted({day for text in data.getlist("weekdays") if (day := number(text))}),
            "hour": _sent_hour(_field(data, "hour")),
            "clock": _field(data, "clock"),
            "best_within": _whole(text) if (text := _field(data, "best_within")) else None,
            "best_channel": data.get("best_channel") == "yes",
            "expires_hours": _whole(_field(data, "expires_hours")),
        },
        "safety": {
            "holdout": _percent(_field(data, "holdout")),
            "priority": _field(data, "priority"),
            "per_day": _whole(text) if (text := _field(data, "per_day")) else None,
            "goal": {
                "kind": _field(data, "goal"),
                "categories": _several(data, "goal_categories"),
                "days": _whole(_field(data, "goal_days")),
            },
        },
        "channels": _sent_channels(data),
        "endpoint": _whole(text) if (text := _field(data, "endpoint")) else None,
        "occasion": {name: _whole(_field(data, name) or str(usual)) for name, usual in OCCASION.items()},
    }


def _sent_channels(data: QueryDict) -> list[str]:
    """The channels in their order, each once; e-mail where none was sent."""
    chosen = (_field(data, name) for name in CHANNELS)
    return list(dict.fromkeys(filter(None, chosen))) or [Channel.EMAIL.value]


def _sent_texts(data: QueryDict, code: str) -> dict[str, Any]:
    """The texts of a language; empty where nothing was written in it."""
    subjects = [_field(data, f"{code}-subject-{place}") for place in range(MOST_SUBJECTS)]
    lines = {line: _field(data, f"{code}-{line}") for line in LINES}
    if not any(subjects) and not any(lines.values()):
        return {}
    while len(subjects) > 1 and not subjects[-1]:
        subjects.pop()
    return {"subjects": subjects, **lines}


def _sent_block(data: QueryDict, prefix: str) -> dict[str, Any]:
    chosen, price = _field(data, f"{prefix}-list"), _field(data, f"{prefix}-price_to")
    return {
        "placement": chosen.removeprefix(ABOUT),
        "n": _whole(_field(data, f"{prefix}-n")),
        "context": (ContextItem.TRIGGER if chosen.startswith(ABOUT) else ContextItem.NONE).value,
        "price_to": (float(price) if is_number(price, whole=False) else price) if price else None,
        "categories": _several(data, f"{prefix}-categories"),
    }


def _field(data: QueryDict, name: str) -> str:
    return typed(data.get(name), longest=LONGEST).replace("\r\n", "\n")


def _several(data: QueryDict, name: str) -> list[str]:
    return [text for each in data.getlist(name) if (text := typed(each, longest=500))]


def _whole(text: str) -> int | str:
    return int(text) if is_number(text, whole=True) else text


def _percent(text: str) -> float | str:
    return round(float(text) / 100, 6) if is_number(text, whole=False) else text


def is_number(text: str, *, whole: bool) -> bool:
    return bool(re.fullmatch(r"\d{1,9}" if whole else r"\d{1,9}(\.\d{1,6})?", text, re.ASCII))


def _sent_moment(text: str) -> str:
    """A moment on the shop's clock, with its zone; what is none stays as it was typed."""
    moment = moment_of(text)
    return timezone.make_aware(moment, timezone.get_default_timezone()).isoformat() if moment else text


def _sent_hour(text: str) -> str | None:
    return (f"{text}:00" if re.fullmatch(r"\d\d:\d\d", text) else text) or None


def moment_of(text: Any) -> datetime | None:
    try:
        return parse_datetime(str(text))
    except ValueError:
        return None


def local_text(stored: Any) -> str:
    """A stored moment as a field of the browser has it."""
    moment = moment_of(stored) if stored else None
    if moment is None:
        return as_text(stored)
    local = timezone.localtime(moment, timezone.get_default_timezone()) if timezone.is_aware(moment) else moment
    return local.strftime("%Y-%m-%dT%H:%M")


def as_text(value: Any) -> str:
    return "" if value is None else str(value)


def as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []
