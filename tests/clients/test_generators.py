"""Three generators of clients make one of our schema, it type-checks, and what it was made for works."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recommendations.api.schema import document
from tests.architecture.source import ROOT
from tests.clients.conftest import Recsite
from tools import clients

pytestmark = pytest.mark.django_db

USES = ROOT / "tests/clients/uses"
STRICT = {
    "target": "es2022", "lib": ["es2023", "dom", "dom.iterable"], "module": "nodenext", "moduleResolution": "nodenext",
    "types": [], "strict": True, "noUncheckedIndexedAccess": True, "outDir": "out", "allowImportingTsExtensions": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def modules(needed: Callable[[Callable[[], Path]], Path]) -> Path:
    return needed(clients.npm_packages)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of a shop's, in strict TypeScript, with our schema in it."""
    (tmp_path / "openapi.json").write_bytes(clients.as_json(document()))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def compile_strictly(modules: Path, folder: Path, *files: str, **options: Any) -> None:
    config = {"compilerOptions": {**STRICT, **options}, "files": list(files)}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    clients.run_tool(modules, "typescript/bin/tsc", [], folder)


def test_openapi_typescript(modules: Path, folder: Path) -> None:
    clients.run_tool(modules, "openapi-typescript/bin/cli.js", ["openapi.json", "-o", "schema.d.ts"], folder)
    shutil.copy(USES / "with_openapi_typescript.ts", folder)
    compile_strictly(
        modules, folder, "with_openapi_typescript.ts", noEmit=True, module="esnext", moduleResolution="bundler"
    )


def test_hey_api(modules: Path, folder: Path, trained: Recsite) -> None:
    (folder / "openapi-ts.config.mjs").write_text(
        "export default { input: 'openapi.json', output: { path: 'generated', module: { extension: '.js' } },"
        " plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'] };"
    )
    (folder / "node_modules").symlink_to(modules)
    clients.run_tool(modules, "@hey-api/openapi-ts/bin/run.js", ["-f", "openapi-ts.config.mjs"], folder)
    shutil.copy(USES / "with_hey_api.ts", folder)
    compile_strictly(modules, folder, "with_hey_api.ts")
    argv = [clients.node(), "out/with_hey_api.js", trained.url, trained.server_key]
    done = subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert len(said.pop("wished")) == 2
    assert said == {"accepted": 1, "simply": 3, "refused": 404, "figures": "string"}


def test_openapi_python_client(needed: Callable[[Callable[[], Path]], Path], folder: Path, trained: Recsite) -> None:
    python = needed(clients.generators)
    (folder / "config.yml").write_text("package_name_override: recsite_generated\npost_hooks: []\n")
    argv = [str(python.parent / "openapi-python-client"), "generate", "--path", "openapi.json", "--meta", "none"]
    argv += ["--config", "config.yml", "--output-path", "recsite_generated", "--fail-on-warning"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    shutil.copy(USES / "with_openapi_python_client.py", folder / "use.py")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    argv = [sys.executable, "-m", "mypy", "--python-executable", str(python), "recsite_generated", "use.py"]
    checked = subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout[-2_000:]
    argv = [str(python), "use.py", trained.url, trained.server_key]
    done = subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert len(said.pop("wished")) == 2
    assert said == {"accepted": 1, "simply": 3, "refused": 404}


def test_what_cannot_be_had_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "TOOLS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("NODE", raising=False)
    with pytest.raises(clients.MissingError, match="No Node 20"):
        clients.npm_packages()
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v18.1.0\n")
    old.chmod(0o755)
    with pytest.raises(clients.MissingError, match="No Node 20"):
        clients.node()
