"""``manage.py shop``: files are taken together or not at all, account and keys made once, and then all runs."""

import contextlib
import gzip
import io
import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from recommendations.management.commands import shop
from recommendations.models import ApiKey, Event, Import, Item, ShopSetting, Staff
from recommendations.terms import Scope, Side
from recsite.announcing import announce_shop
from recsite.embedded.folders import remembered_settings
from tests.feed_server import FeedServer, serving

ITEMS = "item_id,title,price\nA1,Shoe,19.90\nA2,Boot,29.90\n"
EVENTS = "name,timestamp,user_id,item_id\nview_item,2026-08-01T12:00:00Z,u1,A1\nview_item,2026-08-02T12:00:00Z,u1,A2\n"
UNREADABLE = "what,when\nlooked,yesterday\n"
REFUSED = "name,timestamp,user_id,item_id\nview_item,yesterday,u1,A1\n"

type Ran = list[tuple[list[str], dict[str, str]]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Ran:
    """The programs that the command became; tables and styles are there, and a run is not what is tested here."""
    programs: Ran = []
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    for name in shop.REMEMBERED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(shop, "prepare", lambda _output: None)
    monkeypatch.setattr(shop, "call_command", lambda name: programs.append(([name], {})))
    monkeypatch.setattr(os, "execve", lambda _program, argv, env: programs.append((argv, env)))
    return programs


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "items.csv").write_text(ITEMS)
    (tmp_path / "events.csv").write_text(EVENTS)
    return tmp_path


def start(*arguments: str | Path, **named: Any) -> str:
    output = io.StringIO()
    options = {"port": free_port()} | named
    given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    call_command("shop", *given, *map(str, arguments), stdout=output, stderr=output)
    return output.getvalue()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def pending(settings: Settings) -> dict[str, Any]:
    file = settings.DATA / "shop.json.pending"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return dict(json.loads(file.read_text(encoding="utf-8")))


def nothing_is_there(settings: Settings) -> bool:
    rows = (model.objects.exists() for model in (Item, Event, Import, Staff, ApiKey))
    return not any(rows) and not list(settings.DATA.iterdir())


@pytest.mark.django_db
def test_a_first_start_takes_the_files_learns_and_runs_everything(ran: Ran, files: Path, settings: Settings) -> None:
    said = start(items=files / "items.csv", events=files / "events.csv", name="Trail & Co", port=(port := free_port()))
    assert "items.csv: 2 rows: 2 kept" in said
    assert "events.csv: 2 rows: 2 kept" in said
    assert (Item.objects.count(), Event.objects.count()) == (2, 2)
    (learned, _), (argv, env) = ran
    assert learned == ["run_loop"]
    assert argv[1:] == ["-m", "recsite.supervisor", "--port", str(port), "--data", str(settings.DATA)]
    assert env["SHOP_NAME"] == "Trail & Co"
    assert json.loads((settings.DATA / "settings.json").read_text()) == {"SHOP_NAME": "Trail & Co"}
    values = pending(settings)
    assert Staff.objects.get(email="admin@example.com").check_password(values["password"])
    server, pages = ApiKey.objects.get(side=Side.SERVER), ApiKey.objects.get(side=Side.PAGE)
    assert values["server_key"].startswith(f"{server.prefix}.")
    assert Scope.RECOMMENDATIONS_READ in server.scopes
    assert values["pages_key"].startswith(f"{pages.prefix}.")
    assert set(pages.scopes) == {Scope.EVENTS_WRITE, Scope.RECOMMENDATIONS_READ}, "pages fill slots with it"
    assert pages.origins == [f"http://127.0.0.1:{port + 1}", f"http://localhost:{port + 1}"]


@pytest.mark.django_db
def test_what_is_secret_is_printed_once_and_stored_nowhere(
    ran: Ran, files: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    start(items=files / "items.csv", events=files / "events.csv")
    values = pending(settings)
    secret = [values[name] for name in ("password", "server_key", "pages_key")]
    announce_shop(settings.DATA)
    printed = capsys.readouterr().out
    assert [text for text in secret if text not in printed] == []
    assert "recommend/?n=5" in printed  # of no customer, as ours would be none of the shop's
    assert [path for path in settings.DATA.iterdir() for text in secret if text in path.read_text()] == []
    start()
    assert pending(settings).keys() == {"url", "username", "origins"}
    announce_shop(settings.DATA)
    printed = capsys.readouterr().out
    assert "admin@example.com" in printed
    assert [text for text in secret if text in printed] == []
    assert (Staff.objects.count(), ApiKey.objects.count()) == (1, 2)


@pytest.mark.django_db
def test_what_was_never_printed_is_printed_by_the_next_start(ran: Ran, files: Path, settings: Settings) -> None:
    start(items=files / "items.csv", events=files / "events.csv")
    before = pending(settings)
    start(port=(port := free_port()))
    assert pending(settings) == before | {"url": f"http://127.0.0.1:{port}/"}


@pytest.mark.django_db
def test_a_second_start_imports_what_changed_and_nothing_else(ran: Ran, files: Path) -> None:
    start(items=files / "items.csv", events=files / "events.csv")
    said = start(items=files / "items.csv", events=files / "events.csv")
    assert said.count("has not changed") == 2
    assert Import.objects.count() == 2
    (files / "items.csv").write_text(f"{ITEMS}A3,Sock,4.90\n")
    said = start()
    assert "items.csv: 3 rows: 1 kept, 2 already there" in said
    assert said.count("has not changed") == 1
    (files / "events.csv").unlink()
    assert "events.csv is gone: what was imported of it stays." in start()
    assert Event.objects.count() == 2


@pytest.mark.django_db
def test_what_the_shop_set_is_remembered_and_the_newest_wins(
    ran: Ran, files: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each start gets what the folder remembers and what is given, as ``recsite.embedded`` puts them together."""
    file = settings.DATA / "settings.json"
    starts = [
        {"SHOP_CURRENCY": "EUR", "SHOPIFY_WEBHOOK_SECRET": "of-the-shop", "ITEM_FEED": "https://shop.example/a"},
        {"PICTURE_HOSTS": "cdn.shop.example", "ITEM_FEED_FILE": "/run/feed"},
        {"SHOP_CURRENCY": "GBP", "ITEM_FEED": ""},
    ]
    for given in starts:
        for name in shop.REMEMBERED:
            monkeypatch.delenv(name, raising=False)
        for name, value in (remembered_settings(file, given=given) | given).items():
            monkeypatch.setenv(name, value)
        start(items=files / "items.csv")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {
        "SHOP_CURRENCY": "GBP", "SHOPIFY_WEBHOOK_SECRET": "of-the-shop", "PICTURE_HOSTS": "cdn.shop.example",
    }  # fmt: skip


@pytest.mark.django_db
def test_a_feed_of_an_address_is_asked_whether_it_changed(ran: Ran, settings: Settings) -> None:
    with serving(FeedServer(content=ITEMS.encode(), etag='"1"')) as server:
        settings.ITEM_FEED = server.address  # inside our own network
        secret = server.address.replace("http://", "http://shop:pw-of-the-feed@") + "/items.csv"
        assert "2 kept" in start(items=secret)
        assert "has not changed" in start(items=secret)
    assert "pw-of-the-feed" not in str(ShopSetting.objects.values_list("value", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("items.csv", UNREADABLE, "item_id"),
        ("events.csv", UNREADABLE, "name"),
        ("events.csv", "", "events.csv"),
        ("events.csv", REFUSED, "No row of events.csv could be taken, so nothing was imported"),
        ("items.csv", "item_id,title,price\nA1,Shoe,cheap\n", "No row of items.csv could be taken"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_nothing_half_done(
    ran: Ran, files: Path, settings: Settings, name: str, text: str, words: str
) -> None:
    (files / name).write_text(text)
    with pytest.raises(CommandError, match=words) as refused:
        start(items=files / "items.csv", events=files / "events.csv")
    assert refused.value.returncode == 1
    assert nothing_is_there(settings)
    assert ran == []


@pytest.mark.django_db
def test_why_rows_are_refused_is_said(ran: Ran, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "events.csv").write_text(REFUSED)
    output = io.StringIO()
    with pytest.raises(CommandError):
        call_command(
            "shop", f"--port={free_port()}", f"--items={files / 'items.csv'}", f"--events={files / 'events.csv'}",
            stdout=output, stderr=output,
        )  # fmt: skip
    assert "events.csv, line 2, timestamp: Not a time." in output.getvalue()


@pytest.mark.django_db
def test_a_catalogue_in_another_currency_leads_to_the_shops_own(ran: Ran, files: Path) -> None:
    (files / "items.csv").write_text("item_id,title,price\nA1,Shoe,19.90 EUR\nA2,Boot,29.90 EUR\n")
    output = io.StringIO()
    with pytest.raises(CommandError, match="Mend what is named above, and start again"):
        call_command("shop", f"--port={free_port()}", f"--items={files / 'items.csv'}", stdout=output, stderr=output)
    remedy, flaw = (output.getvalue().find(text) for text in ("start it with SHOP_CURRENCY=EUR", "items.csv, line 2"))
    assert 0 < remedy < flaw


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "A first start needs the catalogue"),
        ({"items": "nowhere.xml"}, "ITEMS=nowhere.xml: there is no such file"),
        ({"items": "{items}", "events": "nowhere.csv"}, "EVENTS=nowhere.csv: there is no such file"),
        ({"items": "{items}", "events": "https://shop.example/e.csv"}, "Download it first"),
        ({"items": "{items}", "origin": "shop.example/path"}, "write it like https://shop.example"),
        ({"items": "{items}", "email": "nobody"}, "EMAIL=nobody is not an e-mail address"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_done(
    ran: Ran, files: Path, settings: Settings, arguments: dict[str, str], words: str
) -> None:
    given = {name: value.format(items=files / "items.csv") for name, value in arguments.items()}
    with pytest.raises(CommandError, match=words):
        start(**given)
    assert nothing_is_there(settings)


@pytest.mark.django_db
def test_the_folder_of_the_demo_is_no_shop(ran: Ran, files: Path, settings: Settings) -> None:
    (settings.DATA / "demo.json").write_text("{}")
    with pytest.raises(CommandError, match="holds the demo"):
        start(items=files / "items.csv")
    (settings.DATA / "demo.json").rename(settings.DATA / "shop.json")
    with pytest.raises(CommandError, match="holds a shop of your own"):
        call_command("demo", port=free_port(), shop_port=first_of_two())


def first_of_two() -> int:
    """A free port with another one behind it: the demo's push service takes the port after its shop."""
    while True:
        first = free_port()
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", first + 1)):
            return first


@pytest.mark.django_db
def test_production_and_a_taken_port_are_refused(ran: Ran, files: Path, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(CommandError, match="try `make shop PORT="):
        start(items=files / "items.csv", port=other.getsockname()[1])
    settings.DEMO = False
    with pytest.raises(CommandError, match="going-live"):
        start(items=files / "items.csv")


VIEW = {"type": "track", "event": "Product Viewed", "userId": "u1", "properties": {"product_id": "A1"}}
CALLS = [{**VIEW, "messageId": f"m-{day}", "timestamp": f"2026-08-0{day}T12:00:00Z"} for day in (1, 2)]


@pytest.mark.django_db
def test_another_systems_export_is_known_by_what_is_in_it(ran: Ran, files: Path) -> None:
    export = files / "export.jsonl.gz"
    export.write_bytes(gzip.compress("\n".join(map(json.dumps, CALLS)).encode()))
    said = start(items=files / "items.csv", events=export)
    assert "export.jsonl.gz is read as Segment's calls." in said
    assert "export.jsonl.gz: 2 rows: 2 kept" in said


@pytest.mark.django_db
def test_whose_export_it_is_can_be_said_and_is_remembered(ran: Ran, files: Path) -> None:
    """These calls lack what they are known by."""
    export = files / "export.json"
    bare = [{name: value for name, value in call.items() if name not in {"type", "event"}} for call in CALLS]
    export.write_text(json.dumps([*bare * 6, *CALLS]))
    with pytest.raises(CommandError, match=r"This is JSON\. Say whose events it holds: --from segment"):
        start(items=files / "items.csv", events=export)
    arguments = {"items": files / "items.csv", "events": export, "from": "segment"}
    assert "export.json: 14 rows: 2 kept, 0 already there, 12 refused" in start(**arguments)
    export.write_text(json.dumps([*bare * 6, *CALLS, {**CALLS[0], "messageId": "m-3"}]))
    assert "export.json: 15 rows: 1 kept, 2 already there, 12 refused" in start()
