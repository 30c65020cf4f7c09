"""Every fault still has its place in the tree, and the tests that see it are still there."""

import ast
from pathlib import Path

import pytest

from bench.mutations.agent_faults import AGENT_FAULTS
from bench.mutations.faults import FAULTS, PlantedFault

ROOT = Path(__file__).resolve().parents[2]
EVERY = (*FAULTS, *AGENT_FAULTS)
by_name = pytest.mark.parametrize("fault", EVERY, ids=[fault.name for fault in EVERY])


@by_name
def test_a_fault_can_be_planted_and_is_still_python(fault: PlantedFault) -> None:
    source = (ROOT / fault.file).read_text(encoding="utf-8")
    faulty = fault.planted(source)
    ast.parse(faulty)
    assert faulty != source


@by_name
def test_the_tests_of_a_fault_are_there(fault: PlantedFault) -> None:
    assert fault.tests
    for test in fault.tests:
        file, _, name = test.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8")
        names = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
        assert name in names or not name


def test_a_fault_whose_place_is_gone_or_there_twice_is_refused() -> None:
    fault = PlantedFault(name="one", file="x.py", old="a", new="b", tests=["x"])
    assert fault.planted("xay") == "xby"
    for source in ("xyz", "aya"):
        with pytest.raises(LookupError, match="one"):
            fault.planted(source)
