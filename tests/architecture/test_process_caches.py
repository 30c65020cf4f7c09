"""Whatever a process remembers is of people, and hears of erasures, or of nobody, and says what it is."""

import ast
import re
from functools import cache

import pytest

from recommendations.store.holders.caches import OF_NOBODY, OF_PEOPLE, ForgottenWith
from recommendations.store.holders.processes import PROCESSES
from tests.architecture.source import ROOT, modules

HEARING = {"HeldOfPeople", "people_cache"}
HOLDING = HEARING | {
    "Beside", "KeyCache", "LocMemCache", "ProcessHeld", "WeakKeyDictionary", "WeakValueDictionary", "cache", "cached",
    "held_by_model", "local", "lru_cache",
}  # fmt: skip
"""What makes something that lasts, wherever it is called."""
OF_MODULES = {"Counter", "OrderedDict", "defaultdict", "deque", "dict", "list", "set"}
GROWING = {"OrderedDict", "defaultdict", "deque"}
"""What lasts where a module holds it and it is empty at first, or is there to grow."""
SIGNS = re.compile(
    rf"\b({'|'.join(HOLDING)})\b|\bcache\.|^\w+(: .*)? = (\{{\}}|\[\]|{'|'.join(OF_MODULES)})", re.MULTILINE
)
"""A module without any of these remembers nothing, and need not be looked through."""
OF_DJANGO = {"add", "get_or_set", "set", "set_many"}
MAKER = "recommendations.store.live.change_watch:people_cache."
PRODUCT = ("recommendations/", "analytics/", "recsite/")


def called(node: ast.AST) -> str:
    """The name by which something is called or decorates: of ``a.b[C](d)`` it is b."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


class Memory(ast.NodeVisitor):
    """What a module remembers: where, as ``module:name``, and by what."""

    def __init__(self, module: str) -> None:
        self.held: dict[str, str] = {}
        self._module, self._within, self._target = module, list[str](), ""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._within.append(node.name)
        for decorator in node.decorator_list:
            self._note(called(decorator))
        for part in node.body:
            self.visit(part)
        self._within.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._within.append(node.name)
        self.generic_visit(node)
        self._within.pop()

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign) -> None:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        values = (
            node.value.elts if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) else [node.value]
        )
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        for each, value in zip(targets, values, strict=False):
            self._target = ast.unparse(each).removeprefix("self.")
            if not self._within and is_empty(value):
                self._note("dict")
            if value is not None:
                self.visit(value)
        self._target = ""

    visit_AnnAssign = visit_Assign  # noqa: N815 - a name of ast's

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(value=ast.Name(id="cache") | ast.Attribute(attr="cache"), attr=what) if (
                what in OF_DJANGO
            ):
                self._note("django")
        what = called(node)
        if what in HOLDING or (what in OF_MODULES and self._target and not self._within and is_empty(node)):
            self._note(what)
        self.generic_visit(node)

    def _note(self, what: str) -> None:
        if what in HOLDING | {"django", "dict"} | OF_MODULES:
            names = [*(each for each in self._within if each != "__init__"), self._target]
            self.held.setdefault(f"{self._module}:{'.'.join(filter(None, names))}", what)


def is_empty(node: ast.AST | None) -> bool:
    match node:
        case ast.Dict(keys=parts) | ast.List(elts=parts):
            return not parts
        case ast.Call(func=ast.Name(id=name), args=parts):
            return name in GROWING or (name in OF_MODULES and not parts)
    return False


def caches_in(name: str, tree: ast.Module) -> dict[str, str]:
    memory = Memory(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    memory.visit(tree)
    return memory.held


@cache
def every_cache() -> dict[str, str]:
    names = [name for name in modules() if name.startswith(PRODUCT)]
    mine = {name: modules()[name] for name in names if SIGNS.search((ROOT / name).read_text(encoding="utf-8"))}
    every = {place: what for name, tree in mine.items() for place, what in caches_in(name, tree).items()}
    return {place: what for place, what in every.items() if not place.startswith(MAKER)}


def listed() -> dict[str, str]:
    """What is in the lists, and the kind of it; one that is in two places raises."""
    both = [(name, kind) for kinds in (OF_PEOPLE, OF_NOBODY) for kind, names in kinds.items() for name in names]
    assert len(both) == len(dict(both))
    return dict(both)


def test_all_that_is_remembered_is_of_people_or_of_nobody() -> None:
    assert set(listed()) == set(every_cache())


def test_what_forgets_with_the_mark_hears_it() -> None:
    every, itself = every_cache(), "recommendations.store.serving.snapshot_holder:snapshot_holder"
    by_mark = set(OF_PEOPLE[ForgottenWith.MARK])
    assert by_mark - {itself} == {name for name, what in every.items() if what in HEARING}


def test_what_forgets_with_the_model_is_held_by_it_or_by_its_version() -> None:
    every = every_cache()
    assert {every[name] for name in OF_PEOPLE[ForgottenWith.MODEL]} == {"held_by_model", "lru_cache", "ProcessHeld"}


def test_the_holder_of_processes_answers_for_all_that_is_of_people() -> None:
    assert set(PROCESSES.holds.caches) == {name for names in OF_PEOPLE.values() for name in names}


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("@lru_cache(100)\ndef profile(customer): ...", "planted:profile"),
        ("profiles = ProcessHeld(dict)", "planted:profiles"),
        ("profiles: dict[int, str] = {}", "planted:profiles"),
        ("recent = deque(maxlen=5)", "planted:recent"),
        ("class Door:\n  def __init__(self):\n    self.asked = lru_cache(5)(self._asked)", "planted:Door.asked"),
        ("def profile(customer):\n  return cached(f'{customer}', count)", "planted:profile"),
        ("def profile(customer):\n  cache.set(str(customer), 1)", "planted:profile"),
        ("def profile(customer):\n  return cache.get_or_set(str(customer), count, 60)", "planted:profile"),
        ("keys = {kind: KeyCache(look_up) for kind in kinds}", "planted:keys"),
    ],
)
def test_a_planted_cache_is_seen(line: str, place: str) -> None:
    held = caches_in("planted.py", ast.parse(line))
    assert list(held) == [place]
    assert place not in listed()
