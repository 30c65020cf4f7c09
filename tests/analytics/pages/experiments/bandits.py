"""Bandits as tests of their pages draft and run them."""

import html
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from recommendations.models import Arm, ArmShare, Experiment
from recommendations.store.rules.conditions import shop_day
from recommendations.terms import ExperimentKind
from tests.analytics.pages.experiments.drafting import begun, version


def post(client: Client, address: str, *, status: int = 302, **fields: Any) -> str:
    answer = client.post(address, {name.replace("__", "-"): value for name, value in fields.items()})
    assert answer.status_code == status, answer.content
    return html.unescape(answer.content.decode())


def typed(*numbers: int, **fields: Any) -> dict[str, Any]:
    """The form of a bandit on the clicks at home of so many versions."""
    arms = {
        f"arm-{place}-{name}": value
        for place, number in enumerate(numbers, 1)
        for name, value in (("lever", "weights"), ("weights", f"home:{version(number).pk}"))
    }
    usual = {"name": "Which mix", "kind": "bandit", "traffic": "100", "primary": "ctr", "placement": "home"}
    return {**usual, "half_life": "7", **arms, **fields}


def running(arms: int = 3, **fields: Any) -> Experiment:
    changes = [{"weights": {"home": version(90 + place).pk}} for place in range(arms - 1)]
    given = {"kind": ExperimentKind.BANDIT, "primary": "ctr", "placement": "home", "name": "Which mix"}
    return begun(*changes, now=timezone.now() - timedelta(days=9), **given | fields)


def with_shares(own: Experiment, *, days: int = 8, segment: int | None = None, ago: int = 0) -> Experiment:
    """Shares of the last days, C the best; the last of them so many days ago."""
    today = shop_day(timezone.now()) - timedelta(days=ago)
    for day in range(days):
        for arm, share, chance in zip(own.arms.order_by("position"), (0.2, 0.34, 0.46), (0.1, 0.19, 0.71), strict=True):
            values = {"share": share, "chance_best": chance, "mean": 0.02 + 0.002 * arm.position, "sd": 0.001}
            key = {"arm": arm, "day": today - timedelta(days=day), "segment": segment}
            ArmShare.objects.update_or_create(**key, defaults=values | {"own_mean": 0.05 if segment else None})
    return own


def certain_of(own: Experiment, position: int, *, chance: float) -> Experiment:
    """The chance of an arm to be the best on all days, what is left of it for the next one."""
    for arm in own.arms.all():
        rest = 1 - chance if arm.position == (position + 1) % 3 else 0.0
        ArmShare.objects.filter(arm=arm).update(chance_best=chance if arm.position == position else rest)
    return own


def arm(own: Experiment, position: int) -> Arm:
    return own.arms.get(position=position)
