"""Names: one class has one, and a function's is no participle of the list; the lists stand in ``tools/house.py``."""

import ast
from collections import defaultdict

from tests.architecture.source import functions, modules
from tools.house import ANYWHERE, PARTICIPLES


def test_no_class_name_in_more_than_two_modules() -> None:
    places = defaultdict(set)
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name not in ANYWHERE:
                places[node.name].add(module)
    assert {name: sorted(where) for name, where in places.items() if len(where) > 2} == {}


def test_no_function_is_named_by_a_participle_of_the_list() -> None:
    assert [place for place, function in functions() if function.name.strip("_") in PARTICIPLES] == []
