"""A PostgreSQL that is too old is refused by every process, with what to do; as faked, and as Debian's real 15."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import NotSupportedError, connection
from django.test import Client

from recsite import postgresql_version
from recsite.embedded.postgres import Postgres
from tests.architecture.source import ROOT

OLD = Path("/usr/lib/postgresql/15/bin")
WORDS = r"is too old: Recsite needs 16 or later\. Upgrade the server .* or let DATABASE_URL name a newer one\."


@pytest.fixture
def of_15(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections say that they are to PostgreSQL 15.8."""
    connection.close()
    with monkeypatch.context() as patch:
        patch.setattr(postgresql_version, "server_version", lambda _connection: (15, 8))
        yield
    connection.close()


def test_every_statement_is_refused_not_the_first_alone(of_15: None) -> None:
    for _ in range(3):
        with pytest.raises(NotSupportedError, match=f"PostgreSQL 15.8 {WORDS}"), connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def test_migrate_and_check_say_it_as_an_error_of_the_installation(of_15: None) -> None:
    with pytest.raises(SystemCheckError, match=WORDS) as refused:
        call_command("check", databases=["default"])
    assert "recsite.E004" in str(refused.value)
    with pytest.raises(SystemCheckError, match=WORDS):
        call_command("migrate", interactive=False, skip_checks=False)


def test_an_import_says_it_and_readyz_names_it(of_15: None, client: Client, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\nA1,Shoe\n")
    with pytest.raises(CommandError, match=f"PostgreSQL 15.8 {WORDS}"):
        call_command("import_items", str(tmp_path / "items.csv"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"]["postgresql_version"].startswith("PostgreSQL 15.8 is too old")


def test_a_server_of_16_will_do(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setattr(postgresql_version, "server_version", lambda _connection: (16, 0))
    call_command("check", databases=["default"])


@pytest.fixture
def real_15() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="recsite-pg15-"))
    folder.chmod(0o711)
    server = Postgres(folder, ephemeral=True)
    server._programs = OLD
    try:
        server.start()
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(not OLD.exists(), reason="it needs Debian's postgresql-15")
def test_a_real_15_is_refused_by_every_command_and_by_web_in_its_log(real_15: str, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\nA1,Shoe\n")
    ready = "from django.test import Client as C; import recsite.wsgi; C(HTTP_HOST='127.0.0.1').get('/readyz')"
    asked = {
        "migrate": ["manage.py", "migrate"],
        "import": ["manage.py", "import_items", str(tmp_path / "items.csv")],
        "web": ["-c", ready],
    }
    env = os.environ | {"DATABASE_URL": real_15, "DJANGO_SETTINGS_MODULE": "recsite.settings"}
    for name, argv in asked.items():
        done = subprocess.run([sys.executable, *argv], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
        said = done.stdout + done.stderr
        assert "PostgreSQL 15." in said, (name, said)
        assert "is too old: Recsite needs 16 or later" in said, (name, said)
        assert (done.returncode != 0) == (name != "web"), said
        assert name == "web" or "Traceback" not in said, said
