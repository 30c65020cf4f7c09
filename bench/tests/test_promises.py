"""Rows of promises are well-formed; bars compare as they say; what is not kept, or was not measured, ends with 1."""

import importlib.util
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from bench import promises
from bench.promises import BARS, ROOT, ROWS, Book, Command, Measured, MissingError, Outcome, Promise

BOOK = promises.read_book(ROWS)
FIGURES = {
    "again": [{"at": 1, "door": "fast", "cpu": 2.5}, {"at": 16, "door": "fast", "cpu": 4.0}],
    "wrong": {},
    "tries": 4,
    "reflected": 3,
    "by role": {"web": [1.0, 6.5], "valkey": [0.1]},
}
WRITES = """python -c "import json, sys; json.dump({content}, open(sys.argv[1], 'w'))" {{json}}"""


def promise(value: object = "exit", bar: str = "== 0", **more: object) -> Promise:
    row = {"id": "one", "sentence": "It holds.", "source": "README.md", "command": "go", "value": value, "bar": bar}
    return msgspec.convert(row | more, Promise)


def outcome(row: Promise, figures: object = FIGURES) -> Outcome:
    return promises.judge(row, Measured(figures=figures))


def file_of(folder: Path, *rows: Promise, run: str, **more: str) -> Path:
    """Write rows of one command; JSON's texts, numbers and lists are TOML's too."""
    command = {"run": run, "length": "short", **more}
    tables = [("[commands.go]", command)]
    tables += [
        ("[[promise]]", {key: value for key, value in msgspec.to_builtins(row).items() if value is not None})
        for row in rows
    ]
    path = folder / "rows.toml"
    lines = [line for head, fields in tables for line in (head, *(f"{k} = {json.dumps(v)}" for k, v in fields.items()))]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run(rows: Path, *argv: str) -> int:
    return promises.main(["--rows", str(rows), *argv])


def programs(command: Command) -> Sequence[str]:
    """Modules and files that a command runs."""
    words = shlex.split(command.run)
    return [] if words[1] == "-c" else words[2:3] if words[1] == "-m" else words[1:2]


def test_ids_are_unique_words() -> None:
    ids = [row.id for row in BOOK.promise]
    assert len(set(ids)) == len(ids)
    assert [one for one in [*ids, *BOOK.commands] if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one)] == []


def test_every_row_is_a_sentence_with_a_bar_and_a_document_that_exists() -> None:
    for row in BOOK.promise:
        assert row.sentence.endswith("."), row.id
        assert "|" not in row.sentence, row.id
        assert (ROOT / row.source).is_file(), row.id
        assert row.source == "README.md" or row.source.startswith("docs/"), row.id
        promises.bar_of(row.bar)


def test_every_command_is_there_is_used_and_writes_what_is_read() -> None:
    assert {row.command for row in BOOK.promise} == set(BOOK.commands)
    for row in BOOK.promise:
        assert ("{json}" in BOOK.commands[row.command].run) == isinstance(row.value, list), row.id


@pytest.mark.parametrize("name", BOOK.commands)
def test_the_program_of_a_command_exists(name: str) -> None:
    words = shlex.split(BOOK.commands[name].run)
    assert words[0] == "python"
    for program in programs(BOOK.commands[name]):
        assert (ROOT / program).is_file() if program.endswith(".py") else importlib.util.find_spec(program)
    assert [word for word in words if word.startswith("tests/") and not (ROOT / word).is_file()] == []


def test_a_row_with_an_unknown_field_or_length_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        promise(limit=3)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"run": "python x.py", "length": "middling"}, Command)


@pytest.mark.parametrize(
    ("value", "bar", "kept"),
    [
        (4, "<= 4", True), (4.01, "<= 4", False), (4, "< 4", False), (3.9, "< 4", True), (0.62, ">= 0.62", True),
        (0.6199, ">= 0.62", False), (0, "> 0", False), (1e-9, "> 0", True), (0, "== 0", True), (1, "!= 1", False),
        (True, "== true", True), (False, "== true", False), ({}, "== {}", True), ({"500": 1}, "== {}", False),
        ([], "== []", True), (float("nan"), "!= 0", False), (float("nan"), "<= 4", False),
    ],
)  # fmt: skip
def test_bars_compare_as_they_say(value: object, bar: str, kept: bool) -> None:
    assert promises.holds(value, bar) is kept


@pytest.mark.parametrize("bar", ["", "4", "=< 4", "<=4", "<= four", "about 4"])
def test_what_is_no_bar_is_refused(bar: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        promises.bar_of(bar)


def test_a_figure_that_cannot_be_compared_is_not_kept() -> None:
    with pytest.raises(MissingError):
        promises.holds("many", "<= 4")
    assert outcome(promise(["wrong"], "<= 4")).kept == "NO"


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (["tries"], [4]),
        (["again", 1, "cpu"], [4.0]),
        (["again", {"at": 16, "door": "fast"}, "cpu"], [4.0]),
        (["again", "*", "cpu"], [2.5, 4.0]),
        (["by role", "*", "*"], [1.0, 6.5, 0.1]),
    ],
)
def test_paths_lead_to_figures(path: list[object], values: list[float]) -> None:
    assert list(promises.values_at(FIGURES, path)) == values


@pytest.mark.parametrize(
    "path", [["nothing"], ["again", 2], ["again", {"at": 64}, "cpu"], ["tries", "x"], ["wrong", "*"]]
)
def test_a_figure_that_is_not_there_is_not_kept(path: list[object]) -> None:
    assert outcome(promise(path, "<= 4")).kept == "NO"
    assert outcome(promise(path, ">= 0", total=True)).kept == "NO"
    assert outcome(promise(path, "<= 4"), figures=None).kept == "NO"


def test_every_figure_has_to_keep_the_bar_and_the_worst_is_shown() -> None:
    every = ["by role", "*", "*"]
    assert (outcome(promise(every, "<= 6.5")).kept, outcome(promise(every, "<= 6.5")).seen) == ("yes", "6.5")
    assert (outcome(promise(every, "<= 6")).kept, outcome(promise(every, "<= 6")).seen) == ("NO", "6.5")
    assert outcome(promise(every, ">= 0.05")).seen == "0.1"


def test_figures_are_added_up_and_divided() -> None:
    assert outcome(promise(["reflected"], "== 1", over=["tries"])).seen == "0.75"
    assert outcome(promise(["again", "*", "cpu"], "<= 6.5", total=True)).seen == "6.5"
    assert outcome(promise(["again", "*", "cpu"], "<= 6.5", total=True, over=["tries"])).seen == "1.625"


def test_a_report_that_was_skipped_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(tmp_path, promise(["ratio"]), run=WRITES.format(content="{'skipped': 'nginx is not here'}"))
    assert run(path) == 1
    assert "| nginx is not here | == 0 | not run |" in capsys.readouterr().out


def test_a_kept_promise_ends_with_0_and_a_broken_one_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [promise(["cpu"], "<= 4", id="kept"), promise(["cpu"], "<= 2", id="broken")]
    path = file_of(tmp_path, *rows, run=WRITES.format(content="{'cpu': 3}"))
    assert run(path, "--only", "kept") == 0
    assert run(path, "--only", "broken", "--json", str(tmp_path / "out.json")) == 1
    assert run(path) == 1
    assert "| `kept` It holds. | 3 | <= 4 | yes |" in capsys.readouterr().out
    row = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))[0]
    assert row == {
        "id": "broken", "sentence": "It holds.", "source": "README.md", "bar": "<= 2", "seen": "3", "kept": "NO",
    }  # fmt: skip


def test_a_command_runs_once_for_all_its_promises(tmp_path: Path) -> None:
    log = tmp_path / "log"
    rows = [promise(["cpu"], "<= 4", id=name) for name in ("first", "second")]
    path = file_of(tmp_path, *rows, run=WRITES.format(content=f"{{'cpu': open({str(log)!r}, 'a').write('x')}}"))
    assert run(path) == 0
    assert log.read_text() == "x"


@pytest.mark.parametrize(
    ("program", "value", "bar", "code"),
    [
        ("print('12 of 1,200')", "printed", "== 1200", 0), ("print('none')", "printed", "== 0", 1),
        ("pass", "exit", "== 0", 0), ("raise SystemExit(3)", "exit", "== 0", 1), ("pass", "seconds", "< 60", 0),
        ("raise SystemExit(3)", "seconds", "< 60", 1), ("pass", ["figures"], "== 0", 1),
    ],
)  # fmt: skip
def test_what_a_command_does_itself_can_be_promised(
    tmp_path: Path, program: str, value: object, bar: str, code: int
) -> None:
    assert run(file_of(tmp_path, promise(value, bar), run=f"python -c {shlex.quote(program)}")) == code


def test_long_commands_run_when_they_are_asked_for(tmp_path: Path) -> None:
    path = file_of(tmp_path, promise(), run="python -c 'raise SystemExit(3)'", length="long")
    assert run(path) == 0
    assert run(path, "--long") == 1
    assert run(path, "--only", "one") == 1
    assert run(path, "--only", "go") == 1


@pytest.mark.parametrize("needs", ["demo", "running demo"])
def test_without_the_demo_a_promise_is_not_run_and_not_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], needs: str
) -> None:
    path = file_of(tmp_path, promise(), run="python -c pass", needs=needs)
    assert run(path, "--data", str(tmp_path / "absent")) == 1
    assert "| needs `make demo` first | == 0 | not run |" in capsys.readouterr().out


def test_an_unknown_id_is_refused() -> None:
    with pytest.raises(SystemExit):
        promises.main(["--only", "no-such-promise"])


def test_the_list_shows_every_promise_and_runs_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert promises.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [row.id for row in BOOK.promise]


def test_the_bars_are_all_that_a_row_may_use() -> None:
    assert set(BARS) == {"<=", ">=", "<", ">", "==", "!="}
    assert isinstance(BOOK, Book)
