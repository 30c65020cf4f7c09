"""Whatever puts something live stands in a module that states it: the list of publishers is complete."""

import ast
from collections.abc import Iterator

from tests.architecture.source import modules

STATES = {
    "recommendations/store/models/weight_versions.py",
    "recommendations/services/rules/books.py",
    "recommendations/services/promises/publishing.py",
}
"""Modules that set ``is_default`` of weights, books and promises; each calls ``note_statement``."""
OTHERS = {"recommendations/services/campaigns/pressure.py"}
"""Modules that set an ``is_default`` of which recommendations know nothing."""
FUNNELS = {"recommendations/services/experiments/states.py", "recommendations/services/operations/placements.py"}
"""Modules through which experiments and placements change."""
WRITES = {"create", "update", "get_or_create", "update_or_create", "bulk_create"}


def writers() -> Iterator[str]:
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and any(keyword.arg == "is_default" for keyword in node.keywords):
                if isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
                    yield name
            elif isinstance(node, ast.Attribute) and node.attr == "is_default" and isinstance(node.ctx, ast.Store):
                yield name


def test_whoever_sets_what_is_served_states_it() -> None:
    assert set(writers()) == STATES | OTHERS
    for name in STATES | FUNNELS:
        calls = [node for node in ast.walk(modules()[name]) if isinstance(node, ast.Call)]
        assert any(ast.unparse(call.func) == "note_statement" for call in calls), name
