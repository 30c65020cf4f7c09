"""The product's own source as trees; tests, migrations and benches are not measured."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("recsite", "recommendations", "analytics", "demo", "storefront", "clients", "tools")

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository, new ones included."""
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return tuple(path for name in names if (path := ROOT / name).is_file())


@cache
def modules() -> dict[str, ast.Module]:
    """Syntax tree by path from the root."""
    paths = [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES]
    names = {str(path.relative_to(ROOT)): path for path in paths if "migrations" not in path.parts}
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in names.items()}


def functions() -> Iterator[tuple[str, Function]]:
    """Every function with its place, as ``path:line name``."""
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}:{node.lineno} {node.name}", node


def lines_of(function: Function) -> int:
    """Lines of a function without its docstring."""
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length
