"""Files and records that five acts pass, in one checkout beside another.

    python tools/paths.py OLD --households 300     # learns in both, on the demo's data, and prints both lists

The acts are a page, an answer of the API, an event, a rule from its form to an answer, and a run of the loop. A file is
passed where a function of it is called; a record (dataclass, NamedTuple or struct of the product) where one is made.
Columns and names of the domain (``models/``, ``terms.py``), the numerical engine but for a run, and settings are left
out: every act passes them.
"""

import argparse
import dataclasses
import json
import re
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from figures_of_checkout import HOST, ask, boost, learn, of
from same_figures import HERE, probe

ROOT = Path.cwd()
PRODUCT = ("recommendations", "analytics", "demo", "storefront")
LEFT_OUT = ("recommendations/models/", "recommendations/terms.py")
ENGINE = "recommendations/engine/"
TOOL = 3
EVENTS = sys.monitoring.events


class Passed:
    """Files and names of records, in the order in which an act first passes them."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}
        self.records: dict[str, None] = {}

    def started(self, code: Any, _offset: int) -> Any:
        name = code.co_filename.removeprefix(f"{ROOT}/")
        if name.startswith(PRODUCT) and not name.startswith(LEFT_OUT) and code.co_name != "<module>":
            self.files.setdefault(name)
        return sys.monitoring.DISABLE

    def called(self, _code: Any, _offset: int, made: Any, _argument: Any) -> Any:
        made = getattr(made, "__self__", made) if getattr(made, "__name__", "") in {"of", "_make"} else made
        if isinstance(made, type) and made.__module__.startswith(PRODUCT) and _is_record(made):
            self.records.setdefault(f"{made.__module__}.{made.__qualname__}")
        return None


def _is_record(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or hasattr(kind, "_fields") or hasattr(kind, "__struct_fields__")


@contextmanager
def traced() -> Iterator[Passed]:
    passed = Passed()
    sys.monitoring.use_tool_id(TOOL, "paths")
    sys.monitoring.register_callback(TOOL, EVENTS.PY_START, passed.started)
    sys.monitoring.register_callback(TOOL, EVENTS.CALL, passed.called)
    sys.monitoring.restart_events()
    sys.monitoring.set_events(TOOL, EVENTS.PY_START | EVENTS.CALL)
    try:
        yield passed
    finally:
        sys.monitoring.set_events(TOOL, 0)
        sys.monitoring.free_tool_id(TOOL)


def client() -> Any:
    """A browser of somebody who may do everything."""
    staff, _ = get_user_model().objects.get_or_create(
        email="paths@shop.example", defaults={"name": "Paths", "role": "admin"}
    )
    browser = Client(HTTP_HOST=HOST)
    browser.force_login(staff)
    return browser


def expect(response: Any, *statuses: int) -> None:
    if response.status_code not in statuses:
        raise SystemExit(f"{response.status_code}: {re.findall(r'-error">([^<]*)<', response.content.decode())}")


def event(authorization: str, item: str, now: datetime) -> Callable[[], None]:
    row = {
        "event_id": str(uuid.uuid4()), "name": "purchase", "timestamp": now.isoformat(), "user_id": "7",
        "transaction_id": "t-1", "items": [{"item_id": item, "quantity": 1, "price": "1.00"}],
    }  # fmt: skip
    body = json.dumps({"events": [row]})
    return lambda: expect(
        Client(HTTP_HOST=HOST).post(
            "/api/v1/events/", body, content_type="application/json", HTTP_AUTHORIZATION=authorization
        ),
        200, 202, 207,
    )  # fmt: skip


def rule(authorization: str) -> Callable[[], None]:
    """Act: write a rule in the editor, publish it, and get an answer under it."""
    browser = client()
    condition = boost()["items"][0]
    form = {
        "name": "Boost", "placement": "home", "segment": "", "customer": "", "starts_at": "", "ends_at": "",
        "action": "boost", "slot": "1", "strength": "60", "most": "2", "per": "brand", "share": "20",
        "items-0-attribute": "category", "items-0-was": "category", "items-0-operator": "is",
        "items-0-values": condition["values"],
    }  # fmt: skip

    def act() -> None:
        expect(browser.post("/rules/new/", form), 302)
        key = of("recommendations.models:Rule").objects.latest("pk").pk
        expect(browser.post("/rules/publish/", {"rule": key, "based_on": 0, "note": "Paths"}), 302)
        answer(authorization, 21)

    return act


def answer(authorization: str, customer: int) -> None:
    given = ask(import_module("recsite.wsgi").application, authorization, "home", {"user_id": str(customer)})
    if not given["results"]:
        raise SystemExit(f"an empty answer: {given}")


def acts(now: datetime) -> dict[str, dict[str, Sequence[str]]]:
    create = of("recommendations.services.access.keys:create_key", "recommendations.services.keys:create_key")
    key, secret = create(name="paths", scopes=["recommendations:read", "events:write"], by=None)
    authorization = f"Api-Key {key.prefix}.{secret}"
    item = of("recommendations.models:Item").objects.filter(retired_at=None).order_by("pk")[0].shop_id
    browser = client()
    expect(browser.get("/"), 200)
    answer(authorization, 7)  # the first of a site goes through Django
    answer(authorization, 14)
    return {
        "page (overview)": passed(lambda: expect(browser.get("/"), 200)),
        "answer (home, fast door)": passed(lambda: answer(authorization, 28)),
        "event (a purchase)": passed(event(authorization, item, now)),
        "rule (form to answer)": passed(rule(authorization)),
    }


def passed(act: Callable[[], None], *, engine: bool = False) -> dict[str, Sequence[str]]:
    with traced() as track:
        act()
    files = [name for name in track.files if engine or not name.startswith(ENGINE)]
    records = [name for name in track.records if engine or not name.startswith(ENGINE.replace("/", "."))]
    return {"files": files, "records": [".".join(name.split(".")[-2:]) for name in records]}


def trace(now: datetime, households: str | None) -> dict[str, dict[str, Sequence[str]]]:
    """The five acts in this folder's checkout, on the demo's data."""
    django.setup()
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # there is no manifest of files
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    call_command("migrate", verbosity=0, interactive=False)
    run = passed(lambda: learn(households, now), engine=True)
    loading = "recommendations/store/imports/", "recommendations/store/files/", "demo/"
    run["files"] = [name for name in run["files"] if not name.startswith(loading)]
    return {**acts(now), "run of the loop": run}


def table(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for act, old in before.items():
        new = after[act]
        for what in ("files", "records"):
            yield f"{act}: {len(old[what])} {what} before, {len(new[what])} after\n"
            yield f"  before: {' · '.join(old[what])}\n"
            yield f"  after:  {' · '.join(new[what])}\n"


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Files and records that five acts pass, in two checkouts.")
    parser.add_argument("old", help="the other checkout, with its .venv")
    parser.add_argument("out", nargs="?", type=Path, help=argparse.SUPPRESS)  # of the probe, which has a moment first
    parser.add_argument("--households", help="only the first so many, for a quick look")
    given = parser.parse_args(argv)
    if given.out:
        given.out.write_text(json.dumps(trace(datetime.fromisoformat(given.old), given.households)), encoding="utf-8")
        return
    few = ["--households", given.households] if given.households else []
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    lists = []
    for checkout in (Path(given.old).resolve(), HERE):
        with tempfile.TemporaryDirectory(prefix="paths-") as folder:
            lists.append(probe(checkout, Path(folder), now, *few, script=Path(__file__).resolve()))
    sys.stdout.writelines(table(*lists))


if __name__ == "__main__":
    main(sys.argv[1:])
