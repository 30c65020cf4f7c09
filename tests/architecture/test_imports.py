"""Who may import whom: the contracts hold, and they cover every module that exists."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.architecture.source import ROOT, modules


def contracts() -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return {contract["id"]: contract for contract in settings["contracts"]}


def test_contracts_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_a_layer_in_brackets_does_not_exist_yet() -> None:
    """Brackets make a layer optional; one that exists must not be."""
    bracketed = [
        ROOT / container.replace(".", "/") / name
        for contract in contracts().values()
        for container in contract.get("containers", [])
        for name in re.findall(r"\((\w+)\)", " ".join(contract["layers"]))
    ]
    assert [path for path in bracketed if path.with_suffix(".py").exists() or (path / "__init__.py").exists()] == []


def test_every_recommender_is_independent() -> None:
    folder = ROOT / "recommendations/engine/recommenders"
    shared = {"__init__", "protocol", "registry", "hybrid", "item_regression", "net_training", "sequence_net"}
    exist = {
        f"recommendations.engine.recommenders.{path.stem}" for path in folder.glob("*.py") if path.stem not in shared
    }
    assert set(contracts()["recommenders"]["modules"]) == exist


def test_every_folder_is_a_package() -> None:
    """A folder without ``__init__.py`` would escape the contracts."""
    roots = ("recsite", "recommendations", "analytics", "demo", "storefront", "clients/python/recsite_client")
    folders = {path.parent for root in roots for path in (ROOT / root).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_client_needs_nothing_but_python() -> None:
    """The client imports the standard library alone, so that a shop may install it beside whatever it has.

    For Python 3.10 type checkers bring ``typing_extensions``; nothing imports it when the client runs, as
    ``tests/clients/`` shows with such a Python.
    """
    trees = {name: tree for name, tree in modules().items() if name.startswith("clients/python/")}
    imports = {
        (name, imported.partition(".")[0])
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for imported in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        )
    }
    assert len(trees) >= 5
    others = {pair for pair in imports if pair[1] not in sys.stdlib_module_names | {"recsite_client"}}
    assert others == {("clients/python/recsite_client/hints.py", "typing_extensions")}
