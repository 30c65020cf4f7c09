"""Campaigns as they begin, and their form as a browser sends it."""

from html import unescape
from typing import Any

from django.test import Client
from django.utils import timezone

from recommendations.models import Campaign
from recommendations.push_terms import CampaignKind, Trigger
from recommendations.services.campaigns.lifecycle import create_campaign
from recommendations.services.campaigns.presets import preset_of


def begun(kind: CampaignKind = CampaignKind.RECURRING, trigger: Trigger | None = None, name: str = "") -> Campaign:
    preset = preset_of(kind, trigger)
    return create_campaign(
        name=name or preset.name, kind=kind, trigger=trigger, purpose=preset.purpose, draft=preset.draft(), by=None,
        now=timezone.now(),
    )  # fmt: skip


def typed(campaign: Campaign, **fields: Any) -> dict[str, Any]:
    """The form as the page of a campaign has it, with some fields otherwise."""
    draft = campaign.draft
    form: dict[str, Any] = {
        "name": campaign.name, "revision": campaign.revision, "layout": "tiles", "least_items": "3", "starts": "",
        "weekdays": ["4"], "hour": "17:00", "clock": "customer", "expires_hours": "72", "holdout": "0",
        "priority": "campaign", "per_day": "", "goal": "shown", "goal_days": "7",
    }  # fmt: skip
    for code, texts in draft["what"]["texts"].items():
        form |= {f"{code}-{line}": texts[line] for line in ("preheader", "heading", "intro", "button")}
        form |= {f"{code}-subject-{place}": text for place, text in enumerate(texts["subjects"])}
    for row, block in enumerate(draft["what"]["blocks"]):
        about = "about:" if block["context"] == "trigger" else ""
        form |= {f"block-{row}-list": f"{about}{block['placement']}", f"block-{row}-n": str(block["n"])}
    return form | {name.replace("__", "-"): value for name, value in fields.items()}


def save(client: Client, campaign: Campaign, **fields: Any) -> Any:
    return client.post(f"/campaigns/{campaign.pk}/edit/", typed(campaign, **fields))


def page_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return unescape(answer.content.decode())
