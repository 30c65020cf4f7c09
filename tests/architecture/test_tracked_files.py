"""What is committed names no registry, no machine, no secret, and holds no left-overs."""

import re

from tests.architecture.source import ROOT, tracked

HOSTS = re.compile(
    "|".join(["pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.(org|com)", "un" + r"pkg\.com", "js" + "delivr"])
)
PLACES = re.compile(r"(?<![\w.:/])/(work|root|home|tmp|Users)/\w")
TEXT = {
    ".py",
    ".toml",
    ".txt",
    ".md",
    ".yml",
    ".yaml",
    ".html",
    ".css",
    ".js",
    ".json",
    ".sh",
    ".conf",
    ".po",
    ".svg",
    "",
}


def offenders(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked():
        if path.suffix in TEXT and path.parent.name != "vendor":
            text = path.read_text(encoding="utf-8")
            found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text)]
    return found


def test_no_registry_is_named() -> None:
    assert offenders(HOSTS) == []


def test_no_place_of_one_machine() -> None:
    assert offenders(PLACES) == []


def test_no_leftovers() -> None:
    bad = re.compile(r"SUMMARY\.md|NOTES\.md|\.ipynb$|\.orig$|\.rej$|\.bak$|\.pickle$|\.pkl$|\.sqlite3?$|\.env$")
    assert [str(path.relative_to(ROOT)) for path in tracked() if bad.search(path.name)] == []


def test_no_python_version_is_pinned() -> None:
    """A pin makes uv download an interpreter although one that fits is there."""
    assert not (ROOT / ".python-version").exists()


def test_requirements_are_hashed() -> None:
    for name in ("run", "dev", "uv"):
        text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        pins = re.findall(r"^[\w.\-\[\],]+==\S+", text, flags=re.MULTILINE)
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)
        assert not re.search(r"^--|^-i|://", text, flags=re.MULTILINE)
