"""Codes of customers: each key has one, every code one key, and what is mistyped is nobody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.customer_codes import customer_code, customer_key

KEYS = st.integers(0, 2**63 - 1) | st.integers(0, 2**21)


@given(KEYS)
def test_a_code_leads_back_to_its_key(key: int) -> None:
    code = customer_code(key)
    assert re.fullmatch(r"C-[0-9A-HJKMNP-TV-Z]{4,13}", code)
    assert customer_key(code) == customer_key(code.lower()) == key


def test_a_million_customers_need_four_places_and_have_a_code_each() -> None:
    codes = [customer_code(key) for key in range(1 << 20)]
    assert {len(code) for code in codes} == {6}
    assert len(set(codes)) == len(codes)
    assert len(customer_code(1 << 20)) == 8


def test_neighbours_look_different() -> None:
    alike = [
        sum(a == b for a, b in zip(customer_code(key), customer_code(key + 1), strict=True)) - 2 for key in range(5_000)
    ]
    assert sum(alike) / len(alike) < 0.5


def test_what_looks_alike_is_read_alike() -> None:
    code = next(code for code in map(customer_code, range(10_000)) if "0" in code and "1" in code)
    assert customer_key(code.replace("0", "o").replace("1", "l")) == customer_key(code)


@pytest.mark.parametrize(
    "typed", ["", "C-", "7K4F", "C7K4F", "cocoa", "1228", "C-7K4", "C-7K4F7", "C-7K4U", "C-ß7K4", "C-7 4F", "D-7K4F"]
)
def test_what_is_no_code_is_nobody(typed: str) -> None:
    assert customer_key(typed) is None
