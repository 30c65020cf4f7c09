"""Values that a process holds: made once, made again when their mark moves, and dropped together."""

from itertools import count

from recommendations.store import process_held
from recommendations.store.process_held import ProcessHeld, drop_all


class Mark:
    """A mark of change that moves when it is told to."""

    def __init__(self) -> None:
        self.is_due = False

    def moved(self) -> bool:
        due, self.is_due = self.is_due, False
        return due


def test_a_held_value_is_made_once_and_again_after_a_drop() -> None:
    numbers = count(1)
    held = ProcessHeld(lambda: next(numbers))
    assert (held(), held()) == (1, 1)
    held.drop()
    assert held() == 2


def test_a_held_value_is_made_again_when_its_mark_moves() -> None:
    numbers, mark = count(1), Mark()
    held = ProcessHeld(lambda: next(numbers), watch=lambda: mark)
    assert (held(), held()) == (1, 1)
    mark.is_due = True
    assert (held(), held()) == (2, 2)


def test_an_empty_value_is_held_too() -> None:
    numbers = count(1)
    held = ProcessHeld(lambda: [] if next(numbers) == 1 else [0])
    assert held() is held()
    assert held() == []


def test_drop_all_ends_what_is_held_and_nothing_else() -> None:
    ended: list[str] = []
    first, second = (ProcessHeld(lambda name=name: name, end=ended.append) for name in ("first", "second"))
    assert first() == "first"
    drop_all()
    drop_all()
    assert ended == ["first"]
    assert {first.drop, second.drop} <= set(process_held._drops)
