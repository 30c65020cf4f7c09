"""What is committed names no registry, no machine, no secret, and holds no left-overs."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
    hits = []
    for path in tracked():
        if path.suffix in TEXT and path.parent.name != "vendor":
            text = path.read_text(encoding="utf-8")
            hits += [f"{path.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text)]
    return hits


def test_no_registry_is_named() -> None:
    assert offenders(HOSTS) == []


def test_no_path_of_one_machine_is_named() -> None:
    assert offenders(PLACES) == []


def test_no_leftovers() -> None:
    bad = re.compile(r"SUMMARY\.md|NOTES\.md|\.ipynb$|\.orig$|\.rej$|\.bak$|\.pickle$|\.pkl$|\.sqlite3?$|\.env$")
    assert [str(path.relative_to(ROOT)) for path in tracked() if bad.search(path.name)] == []


def test_no_python_version_is_pinned() -> None:
    """A pin makes uv download an interpreter although one that fits is there."""
    assert not (ROOT / ".python-version").exists()


def test_requirements_are_hashed() -> None:
    for name in (
        "run",
        "dev",
        "uv",
        "pictures",
        "releases",
        "text-vectors",
        "sequence-torch",
        "cluster",
        "spark",
        "stream",
    ):
        text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        pins = re.findall(r"^[\w.\-\[\],]+==\S+", text, flags=re.MULTILINE)
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)
        assert not re.search(r"^--|^-i|://", text, flags=re.MULTILINE)


def test_requirements_fit_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [line for group in project["dependency-groups"].values() for line in group]
    for name, declared in {
        "run": project["project"]["dependencies"],
        "dev": project["project"]["dependencies"] + groups,
    }.items():
        text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        pins = {
            pin[0]: pin[1] for pin in re.findall(r"^([\w.\-]+)(?:\[[\w,]+\])?==([^\s;\\]+)", text, flags=re.MULTILINE)
        }
        wanted = [Requirement(line) for line in declared]
        assert [
            str(each) for each in wanted if not each.specifier.contains(pins.get(canonicalize_name(each.name), "0"))
        ] == []
