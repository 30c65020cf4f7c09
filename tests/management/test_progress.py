"""The line on the terminal: what it says, and that nobody is bothered where there is no terminal."""

import io

from django.core.management.base import OutputWrapper

from recommendations.management.progress import Bar, line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_says_how_far_how_fast_and_how_long() -> None:
    assert line("reading", 250, 1_000, seconds=2).split() == [
        "reading", "[#####---------------]", "25%", "250", "of", "1,000", "125/s", "6", "s", "left",
    ]  # fmt: skip


def test_the_line_knows_an_end_and_a_beginning() -> None:
    assert "100%" in line("reading", 0, 0, seconds=0)
    assert "left" not in line("reading", 0, 10, seconds=1)


def test_a_terminal_sees_each_step_to_its_end() -> None:
    terminal = Terminal()
    bar = Bar(OutputWrapper(terminal))
    for step in ("reading", "events"):
        bar(step, 0, 10)
        bar(step, 10, 10)
    screen = terminal.getvalue()
    assert [text.count("100%") for text in screen.split("\n")] == [1, 1, 0]
    assert list(bar.seconds) == ["reading", "events"]


def test_a_file_sees_nothing_but_the_steps_are_timed() -> None:
    output = io.StringIO()
    bar = Bar(OutputWrapper(output))
    bar("reading", 10, 10)
    assert output.getvalue() == ""
    assert list(bar.seconds) == ["reading"]
