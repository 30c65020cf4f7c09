"""The production set-up is valid, and its image holds what runs and no more."""

import re
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT


def test_compose_file_keeps_to_the_schema() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    argv = [program, "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    run = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_image_is_of_run_time_requirements_and_not_of_root() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    final = text[text.rindex("\nFROM ") :]
    assert "dev.txt" not in text
    assert "--require-hashes" in text
    assert re.search(r"^USER (?!root)\w+", final, flags=re.MULTILINE)
    assert "RECSITE_DEMO" not in final


def test_files_copied_into_the_image_exist_and_pass_dockerignore() -> None:
    build = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(\S+)", build, flags=re.MULTILINE)
    allowed = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(copied) == set(allowed)
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_proxy_takes_whole_requests_only() -> None:
    text = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    assert "proxy_request_buffering on;" in text
    assert re.search(r"client_body_timeout \d+s;", text)
    assert "client_max_body_size 2m;" in text
    assert "./deploy/nginx.conf" in (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def test_settings_of_messages_to_customers_reach_the_containers() -> None:
    """Without them nobody can be written to, and whoever sets them in the file beside it would not see why."""
    shop = (ROOT / "docs/settings.md").read_text(encoding="utf-8").partition("## Messages to customers")[2]
    rows = re.findall(r"^\| `([A-Z_]+)`", shop.partition("\n## ")[0], flags=re.MULTILINE)
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert len(rows) >= 7
    assert [name for name in rows if not re.search(rf"^    {name}: \$\{{{name}:-", compose, flags=re.MULTILINE)] == []


def test_what_sends_mail_reaches_the_mail_server() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    services = dict(re.findall(r"^  (\w+):.*\n((?:    .*\n|\n)+)", text, flags=re.MULTILINE))
    assert "networks: { front: {}, back: { internal: true } }" in text
    assert [name for name in ("pages", "worker") if "networks: [front, back]" not in services[name]] == []
