"""The code by which people know a customer, such as ``C-7K4F``: short, and unlike any id that a shop gives.

It is the customer's key, shuffled among all keys of its length, in Crockford's base 32: so that it needs no column, two
neighbours look different, and what was typed with O for 0, or I or L for 1, is still read.
"""

import re
from typing import NamedTuple

PREFIX = "C-"
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTHS = (4, 6, 8, 13)  # a key has the shortest that holds it: a million customers need four
BITS = 5  # of a digit
_FACTOR = 0x9E3779B97F4A7C15  # odd, so that a product with it can be undone
_READ_AS = str.maketrans("OIL", "011")
_WRITTEN = re.compile(rf"C-([{DIGITS}]+)")


def order_sql(key: str) -> str:
    """Expression of SQL by which keys stand in the order of their codes, the shorter ones first.

    Thirteen digits do not fit a number of PostgreSQL: such codes, which need a trillion customers, stand by key.
    """
    shuffles = [_Shuffle(BITS * length) for length in LENGTHS[:-1]]
    cases = [f"WHEN {key} < {shuffle.size} THEN {shuffle.size} + {shuffle.sql(key)}" for shuffle in shuffles]
    return f"(CASE {' '.join(cases)} ELSE {key} + {2 * shuffles[-1].size} END)"


class _Shuffle(NamedTuple):
    """All numbers of so many bits, each at the place of another."""

    bits: int

    def there(self, number: int) -> int:
        number = number * _FACTOR % self.size
        return self._folded(number) * _FACTOR % self.size

    def back(self, number: int) -> int:
        inverse = pow(_FACTOR, -1, self.size)
        return self._folded(number * inverse % self.size) * inverse % self.size

    def sql(self, key: str) -> str:
        """``there``, as an expression of SQL."""
        number = self._multiplied(key)
        return self._multiplied(f"({number} # ({number} >> {(self.bits + 1) // 2}))")

    def _multiplied(self, number: str) -> str:
        return f"mod({number}::numeric * {_FACTOR % self.size}, {self.size})::bigint"

    @property
    def size(self) -> int:
        return 1 << self.bits

    def _folded(self, number: int) -> int:
        """Its upper half laid over the lower; done twice it is the number again."""
        return number ^ number >> (self.bits + 1) // 2


def customer_code(key: int) -> str:
    """The code of the customer with this key (0 to 2⁶³ − 1)."""
    length = next(length for length in LENGTHS if key < 1 << BITS * length)
    number = _Shuffle(BITS * length).there(key)
    return PREFIX + "".join(DIGITS[number >> BITS * place & 31] for place in reversed(range(length)))


def customer_key(code: str) -> int | None:
    """The key of the customer with this code, in capitals or not; None for a text that is no code."""
    match = _WRITTEN.fullmatch(code.strip().upper().translate(_READ_AS))
    if match is None or len(match[1]) not in LENGTHS:
        return None
    number = 0
    for digit in match[1]:
        number = number << BITS | DIGITS.index(digit)
    key = _Shuffle(BITS * len(match[1])).back(number)
    return key if key < 2**63 and customer_code(key).removeprefix(PREFIX) == match[1] else None
