"""Figures and answers of one checkout on the demo's data, as JSON; ``same_figures.py`` runs it under both.

It stands outside of either checkout's package, so what it asks of them it finds by both their names.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlencode
from uuid import UUID

sys.path.insert(0, str(Path.cwd()))
os.environ["DJANGO_SETTINGS_MODULE"] = "recsite.settings"
os.environ["LOG_LEVEL"] = "ERROR"

import django
from django.core.management import call_command

CUSTOMERS = 20
HOST = "127.0.0.1:8000"


def of(*names: str) -> Any:
    """The first that exists of ``module:attribute`` names."""
    for name in names:
        module, _, attribute = name.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError):
            continue
    raise LookupError(f"none of {names}")


def learn(households: str | None, now: datetime) -> None:
    arguments = {"households": int(households)} if households else {}
    call_command("load_complete_journey", shift_weeks="auto", stdout=io.StringIO(), **arguments)
    start = of("recommendations.services.operations.runs:start_run", "recommendations.services.turns:start_turn")
    run = of("recommendations.loop.run:run_loop", "recommendations.loop.run:run_turn")
    status = run(start(by=None, now=now, seed=0, in_worker=False).pk, clock=lambda: now)
    if status != "succeeded":
        raise SystemExit(f"the run ended as {status}")


def figures() -> list[dict[str, Any]]:
    """The rows of the quality tables."""
    measurement = of("recommendations.models:Measurement")
    relation = "evaluation" if hasattr(measurement, "evaluation") else "run"
    rows = measurement.objects.order_by(f"{relation}__cut", f"{relation}__task", "name").select_related(relation)
    return [
        {
            "cut": getattr(row, relation).cut, "task": getattr(row, relation).task, "name": row.name, "kind": row.kind,
            "metrics": row.metrics, "against": row.against, "slices": row.slices,
        }
        for row in rows
    ]  # fmt: skip


def queries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Ten requests for each of the customers: 200."""
    items = list(of("recommendations.models:Item").objects.filter(retired_at=None).order_by("pk").values_list(
        "shop_id", flat=True)[:CUSTOMERS])  # fmt: skip
    for number, item in zip(range(1, CUSTOMERS + 1), items, strict=True):
        who = {"user_id": str(number * 7)}
        for placement in ("home", "discover", "buy_again", "trending", "new", "email"):
            yield placement, who
        yield "item", {**who, "item_id": item}
        yield "also_bought", {**who, "item_id": item}
        yield "cart", {**who, "basket": item}
        yield "search", {**who, "search_term": "milk"}


def ask(application: Any, authorization: str, placement: str, query: dict[str, Any]) -> dict[str, Any]:
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": f"/api/v1/placements/{placement}/recommend/", "SCRIPT_NAME": "",
        "QUERY_STRING": urlencode({**query, "dry_run": "true"}), "HTTP_HOST": HOST, "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr, "wsgi.version": (1, 0), "wsgi.multithread": False, "wsgi.multiprocess": False,
        "wsgi.run_once": False, "HTTP_AUTHORIZATION": authorization,
    }  # fmt: skip
    body = b"".join(application(environ, lambda status, _headers, *_rest: statuses.append(status)))
    answer: dict[str, Any] = json.loads(body)
    answer.pop("recommendation_id", None)
    return {"status": statuses[0], **answer}


def answers() -> dict[str, list[dict[str, Any]]]:
    key, secret = of(
        "recommendations.services.access.keys:create_key", "recommendations.services.keys:create_key"
    )(name="figures", scopes=["recommendations:read"], by=None)  # fmt: skip
    wsgi = import_module("recsite.wsgi")
    authorization = f"Api-Key {key.prefix}.{secret}"
    ask(wsgi.application, authorization, "home", {})  # the first of a site goes through Django
    return {
        name: [ask(door, authorization, placement, query) for placement, query in queries()]
        for name, door in (("fast", wsgi.application), ("django", wsgi.django))
    }


def boost() -> dict[str, Any]:
    """A rule that boosts the category with the most items."""
    count = import_module("django.db.models").Count("items")
    category = of("recommendations.models:Category").objects.annotate(size=count).order_by("-size", "path")[0].path
    return {
        "id": 0, "name": "Boost", "placement": "home", "segment": None, "customer": None, "context": [],
        "starts_at": None, "ends_at": None, "action": "boost", "slot": None, "strength": 60, "most": None, "per": "",
        "share": None, "items": [{"attribute": "category", "operator": "is", "values": [category]}],
    }  # fmt: skip


def price_tag(now: datetime) -> dict[str, Any]:
    measure = of("recommendations.services.rules.price_tags:price_tag", "recommendations.services.price_tags:price_tag")
    tag: dict[str, Any] = measure(rules=[boost()], placement="home", now=now).described()
    return tag


def waterfalls() -> list[Any]:
    modules = ("recommendations.services.review.review", "recommendations.services.review")
    look, reviews = (of(*(f"{module}:{name}" for module in modules)) for name in ("Look", "reviews"))
    customers = of("recommendations.models:Customer").objects.order_by("pk").values_list("pk", flat=True)[:5]
    return [
        [[card.rank, card.score, card.final, [[str(term.kind), term.name, term.value] for term in card.waterfall]]
         for card in reviews([look()], customer=customer, placement="home")[0].cards]
        for customer in customers
    ]  # fmt: skip


def plain(value: Any) -> Any:
    """A value as JSON keeps it, with floats to the last bit."""
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, str | UUID | datetime):
        return str(value)
    if isinstance(value, Iterable):
        return [plain(part) for part in value]
    return value


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("now", type=datetime.fromisoformat)
    parser.add_argument("out", type=Path)
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--households")
    given = parser.parse_args()
    django.setup()
    timezone = import_module("django.utils.timezone")
    mock.patch.object(timezone, "now", return_value=given.now).start()
    call_command("migrate", verbosity=0, interactive=False)
    if given.learn:
        learn(given.households, given.now)
    results = {
        "figures": figures(), "answers": answers(), "price_tag": price_tag(given.now), "waterfalls": waterfalls(),
    }  # fmt: skip
    given.out.write_text(json.dumps(plain(results)), encoding="utf-8")


if __name__ == "__main__":
    main()
