"""Every name of a Valkey key begins in ``valkey_keys``; ``conftest`` sees that no test leaves another one."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings

from recommendations.store import valkey_keys
from recommendations.store.holders.live import LIVE
from recommendations.store.valkey_keys import EVERY, KeyName, name_of
from recsite.celery import app
from tests.architecture.source import ROOT, modules

HOME = "recommendations/store/valkey_keys.py"
CELERY = "recsite/celery.py"  # a setting, which may not import the store
BEGINS = re.compile(r"[a-z][a-z0-9_-]*:(?!//|\s|$)|[a-z][a-z0-9_-]*:$")
ASKING = {"valkey", "redis", "Pipeline", "Link"}


def texts(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Texts and bytes of a module, of an f-string how it begins; without docstrings."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values[1:]}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and not {id(node)} & (told | within):
            if isinstance(node.value, str):
                yield node, node.value
            elif isinstance(node.value, bytes):
                yield node, node.value.decode("latin-1")


def is_text(node: ast.AST) -> bool:
    """Whether it is a text, or an f-string that begins with one, of small letters as keys are."""
    first = node.values[0] if isinstance(node, ast.JoinedStr) else node
    return isinstance(first, ast.Constant) and isinstance(first.value, str | bytes) and not first.value.isupper()


def asks_valkey(tree: ast.AST) -> bool:
    """Whether a module asks Valkey by itself."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return any(alias.name in ASKING for node in imports for alias in node.names)


def begun_keys(tree: ast.AST) -> Iterator[str]:
    """Names of keys that a module begins: by a name that is known, and, where it asks Valkey, by any text for one."""
    known = [name for name in EVERY if ":" in name]
    asks = asks_valkey(tree)
    for node, text in texts(tree):
        if any(text.startswith(name) for name in known) or (asks and BEGINS.match(text)):
            yield f"{getattr(node, 'lineno', 0)} {text[:60]}"
    for node in ast.walk(tree) if asks else ():
        match node:
            case ast.Tuple(elts=[ast.Constant(value=str(command)), name, *_]) if command.isupper() and is_text(name):
                yield f"{node.lineno} {command}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="pipeline" | "client"), attr=command), args=[name, *_]):
                if command != "eval" and is_text(name):  # of which the first is the script
                    yield f"{node.lineno} {command}"


def test_no_other_module_begins_a_key() -> None:
    told = re.compile("|".join(map(re.escape, [*ASKING, *(name for name in EVERY if ":" in name)])))
    others = {name: tree for name, tree in modules().items() if name not in {HOME, CELERY}}
    begun = {name: list(begun_keys(others[name])) for name in others if told.search((ROOT / name).read_text())}
    assert {name: keys for name, keys in begun.items() if keys} == {}


@pytest.mark.parametrize(
    "line",
    [
        'valkey().run(lambda pipeline: pipeline.set(f"wish:{customer}", 1))',
        'valkey().run(lambda pipeline: pipeline.set("wishes", 1))',
        'valkey().ask([("SADD", "wishes", customer)])',
        'valkey().ask([("SADD", b"wish:" + name, customer)])',
        'NAME = "wish:of:"',
        'redis.Redis().get("live:wishes")',
    ],
)
def test_a_planted_key_is_seen(line: str) -> None:
    head = "import redis\nfrom recommendations.store.live.valkey import valkey\n"
    assert list(begun_keys(ast.parse(head + line)))


def test_a_key_that_is_known_is_seen_wherever_it_is_written() -> None:
    assert list(begun_keys(ast.parse('NAME = f"live:bought:{customer}"')))
    assert not list(begun_keys(ast.parse('"""live:bought: is what was bought."""\nURL = "redis://host"\nNAME = "a:b"')))


def test_settings_have_the_names_of_their_servers_keys() -> None:
    assert app.conf.broker_transport_options["global_keyprefix"] == valkey_keys.TASKS
    assert f"{settings.CACHES['default']['KEY_PREFIX']}:1:" == valkey_keys.PAGES


def test_what_is_of_people_has_a_holder() -> None:
    names = {name for name, value in vars(valkey_keys).items() if isinstance(value, KeyName) and value.people}
    assert names == {*LIVE.holds.valkey, "SLATES"}  # which the holder of slates has written first
    assert len(LIVE.holds.valkey) == len(set(LIVE.holds.valkey))


def test_every_name_says_what_it_holds_and_how_long() -> None:
    assert len(EVERY) == len({*EVERY}) > 20
    assert all(name.holds and (name.lasts is None or name.lasts > timedelta()) for name in EVERY)
    assert tuple(value for value in vars(valkey_keys).values() if isinstance(value, KeyName)) == EVERY


def test_the_longest_name_is_that_of_a_key() -> None:
    assert name_of("cache:1:campaign-look:7") is valkey_keys.LOOKS
    assert name_of("cache:1:overview/watch") is valkey_keys.PAGES
    assert name_of(valkey_keys.BOUGHT.of(7)) is valkey_keys.BOUGHT
    assert name_of(valkey_keys.newcomer(b"\xff\x00").decode("latin-1")) is valkey_keys.NEWCOMERS
    assert [name_of(key) for key in ("live:builts", "live:wishes:7", "wishes", "counted:1")] == [None] * 4
