"""Names of ``typing`` that came with Python 3.11; before it only type checkers know them."""

import sys
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    from typing import NotRequired, Self, Unpack
elif TYPE_CHECKING:
    from typing_extensions import NotRequired, Self, Unpack
else:

    class _Hint:
        """Hint that says nothing when the program runs: ``NotRequired[int]`` is an int."""

        def __class_getitem__(cls, kind: Any) -> Any:
            return kind

    NotRequired = Unpack = _Hint
    Self = Any

__all__ = ["NotRequired", "Self", "Unpack"]
