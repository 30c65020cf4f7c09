"""What the page of Weights is sent, and what is read off it."""

import json
import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from recommendations.models import BlendWeights, Staff
from recommendations.services.weights.drafts import save_draft
from recommendations.terms import BlendName, Role
from tests.trained import NOW

HOME = BlendName.HOME


def live(blend: BlendName = HOME) -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name=blend, segment=None)


def sliders(**moved: object) -> dict[str, str]:
    """Live's values as the form sends them, some of them moved."""
    weights = {f"w.{name}": f"{100 * weight:g}" for name, weight in live().weights.items()}
    return {"blend": HOME, **weights, "promotion": f"{live().promotion:g}"} | {
        f"w.{name}": str(value) for name, value in moved.items()
    }


def saved(by: Staff | None = None, revision: int | None = None, **moved: float) -> BlendWeights:
    """A draft that somebody saved."""
    given = {name: 100 * weight for name, weight in live().weights.items()} | moved
    return save_draft(blend=HOME, values={"weights": given}, revision=revision, by=by, now=NOW)


def flat(answer: HttpResponse) -> str:
    return " ".join(answer.content.decode().split())


def text(client: Client, address: str = "/weights/", *, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return flat(answer)


def effect(client: Client, sent: dict[str, str]) -> dict[str, Any]:
    answer = client.get("/weights/effect/", sent)
    assert answer.status_code == 200
    content: dict[str, Any] = json.loads(answer.content)
    return content


def box(page: str, name: str) -> str:
    """What stands in the number box of a setting."""
    match = re.search(rf'id="box-{name}"[^>]* value="([^"]*)"', page)
    assert match, name
    return match[1]


def staff(name: str = "Mia") -> Staff:
    return Staff.objects.create_user(f"{name.lower()}@example.com", "correct horse", role=Role.PUBLISHER, name=name)
