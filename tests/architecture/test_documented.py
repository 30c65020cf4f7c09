"""What can be set and called is written down, and what is written down exists."""

import ast
import re

from tests.architecture.source import ROOT, modules, tracked

READERS = {
    "text",
    "secret",
    "flag",
    "integer",
    "choice",
    "words",
    "pairs",
    "folder",
    "storage",
    "database",
    "mailer",
    "mail_server",
    "secrets",
    "seeds",
    "valkey",
    "web_address",
}
OF_OTHERS = {"DJANGO_SETTINGS_MODULE", "CELERY_SKIP_CHECKS"}


def read_by_the_product() -> set[str]:
    names = set()
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = ast.unparse(node.func)
                if called in {f"env.{reader}" for reader in READERS} and name != "recsite/env.py":
                    names.add(str(node.args[0].value))
                if called in {"env.secret", "env.secrets", "env.seeds", "env.vapid_key"}:
                    names.add(f"{node.args[0].value}_FILE")
                if called in {"os.environ.get", "os.environ.setdefault", "os.getenv"}:
                    names.add(str(node.args[0].value))
    return names - OF_OTHERS


def documented() -> set[str]:
    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    return set(re.findall(r"`([A-Z][A-Z0-9_]+)`", text)) - {"DEBUG", "INFO", "WARNING", "ERROR"} | {"DEBUG"}


def test_every_setting_is_documented() -> None:
    assert read_by_the_product() - documented() == set()


def test_every_documented_setting_exists() -> None:
    compose = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    shop = {"ITEMS", "EVENTS", "NAME", "ORIGIN", "EMAIL"}
    make = shop | {"PORT", "DATA", "HOUSEHOLDS", "ARGS", "ADVISORIES", "CHROMIUM", "NODE", "CI"}
    assert documented() - {"USD", "UTC"} - read_by_the_product() - compose - make == set()


def test_compose_variables_are_documented() -> None:
    compose = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    assert compose - documented() == set()


def test_every_command_is_documented() -> None:
    commands = {path.stem for path in ROOT.glob("*/management/commands/*.py")} - {"__init__"}
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages if page.exists())
    assert {command for command in commands if not re.search(rf"\b{command}\b", text)} == set()


def test_every_constant_that_a_how_to_names_exists() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]{4,})`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    python = [path.read_text(encoding="utf-8") for path in tracked() if path.suffix == ".py"]
    assigned = {name for text in python for name in re.findall(r"^([A-Z_]{5,})\b[^=\n]*=", text, flags=re.MULTILINE)}
    assert len(named) >= 15
    assert named - assigned == set()
