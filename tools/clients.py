"""What the JavaScript clients are made with: Node, TypeScript, and generators of clients that others wrote.

    python -m recsite.embedded --ephemeral -- python tools/clients.py    # clients/node/ anew, from the schema

``make clients`` runs it. What it needs is installed once in a folder of its own, from the lists that are committed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import django
import msgspec

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
NODE_CLIENT = ROOT / "clients/node"
GENERATORS = ROOT / "requirements/generators.txt"
OLDEST_NODE = 20
PATIENCE = 420  # seconds for an installation
LISTS = ("package.json", "package-lock.json")
SOURCES = ("package.json", "tsconfig.json", "src")
MADE = ("schema.d.ts", "dist")


class MissingError(Exception):
    """Something that the clients are made with is not to be had here."""


def node() -> str:
    """Node's program. Raises MissingError where there is none, or an old one."""
    for name in (os.environ.get("NODE"), "node", "nodejs"):
        if name and (program := shutil.which(name)):
            version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
            if int(version.strip().lstrip("v").partition(".")[0]) >= OLDEST_NODE:
                return program
    raise MissingError(f"No Node {OLDEST_NODE} or later: install it, or name it with NODE=/path/to/node.")


def npm_packages() -> Path:
    """The folder ``node_modules`` with TypeScript and the generators. Raises MissingError."""
    node()
    content = b"".join((NODE_CLIENT / name).read_bytes() for name in LISTS)

    def install(folder: Path) -> None:
        for name in LISTS:
            shutil.copy(NODE_CLIENT / name, folder)
        npm = shutil.which("npm")
        if npm is None:
            raise MissingError("No npm: install it beside Node.")
        _run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)

    return _installed("npm", content, install) / "node_modules"


def generators() -> Path:
    """Python's program of an environment with openapi-python-client. Raises MissingError."""

    def install(folder: Path) -> None:
        venv.create(folder, with_pip=True)
        pip = str(folder / "bin/pip")
        _run([pip, "install", "--quiet", "--require-hashes", "--requirement", str(GENERATORS)], folder)

    return _installed("python", GENERATORS.read_bytes(), install) / "bin/python"


def build(schema: bytes, into: Path) -> None:
    """Make the parts of the Node client that are made: the schema's types and the compiled client."""
    modules = npm_packages()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in SOURCES:
            place = NODE_CLIENT / name
            (shutil.copytree if place.is_dir() else shutil.copy)(place, folder / name)
        (folder / "schema.json").write_bytes(schema)
        run_tool(modules, "openapi-typescript/bin/cli.js", ["schema.json", "-o", "schema.d.ts"], folder)
        run_tool(modules, "typescript/bin/tsc", [], folder)
        for name in MADE:
            shutil.rmtree(into / name, ignore_errors=True)
            (shutil.copytree if (folder / name).is_dir() else shutil.copy)(folder / name, into / name)


def run_tool(modules: Path, script: str, arguments: list[str], folder: Path) -> None:
    """Run a program of npm's packages in a folder. Raises MissingError with what it said where it fails."""
    _run([node(), str(modules / script), *arguments], folder)


def schema() -> bytes:
    """The schema as it is without a catalogue."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "recsite.settings")
    sys.path.insert(0, str(ROOT))
    django.setup()
    return as_json(import_module("recommendations.api.schema").document())


def as_json(document: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document))


def _installed(kind: str, content: bytes, install: Callable[[Path], None]) -> Path:
    """The folder with what a list asks for; it is installed once, by one process."""
    folder = TOOLS / f"{kind}-{hashlib.sha256(content).hexdigest()[:16]}"
    with _alone(kind):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            install(folder)
            (folder / "complete").touch()
    return folder


@contextmanager
def _alone(kind: str) -> Iterator[None]:
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(argv: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise MissingError(f"{Path(argv[0]).name} took longer than {PATIENCE} s: {' '.join(argv[1:3])}") from error
    if done.returncode:
        said = (done.stdout + done.stderr)[-2_000:]
        raise MissingError(f"{Path(argv[0]).name} {' '.join(argv[1:3])} failed:\n{said}")


if __name__ == "__main__":
    build(schema(), NODE_CLIENT)
