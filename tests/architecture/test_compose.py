"""The production set-up is valid, and its image holds what runs and no more."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from recommendations.shardwork import spark_session
from recsite import wire
from tests.architecture.source import ROOT

SERVERS = ("DATABASE_URL", "REDIS_URL")
SPARK = ROOT / "deploy" / "spark"


@pytest.mark.parametrize("file", ["docker-compose.yml", "deploy/spark/compose.yml"])
def test_compose_file_keeps_to_the_schema(file: str) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    argv = [program, "--builtin-schema", "vendor.compose-spec", file]
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


def test_image_of_spark_is_that_of_the_shop_with_spark_and_not_of_root() -> None:
    text = (SPARK / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (\S+)", text, flags=re.MULTILINE)
    allowed = re.findall(
        r"^!(\S+)", (SPARK / "Dockerfile.dockerignore").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert copied == allowed
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert "--require-hashes" in text
    assert re.findall(r"^(?:USER|FROM) (\S+)", text, flags=re.MULTILINE) == ["${RECSITE}", "root", "recsite"]


def test_the_loop_of_spark_is_built_as_spark_is() -> None:
    """Files of Compose are laid over each other: with no build of its own the shop's would come under Spark's name."""
    text = (SPARK / "compose.yml").read_text(encoding="utf-8")
    assert "\n  build: &build\n" in text
    assert "\n    build: *build" in text[text.index("\n  loop:") :]


def test_spark_gets_no_secret_and_reaches_nobody_outside() -> None:
    """What does parts sees arrays of numbers; Spark Connect has no login of its own."""
    text = (SPARK / "compose.yml").read_text(encoding="utf-8")
    assert not re.search(r"SECRET|PASSWORD|KEY|DATABASE_URL|REDIS_URL|ports:|egress|front", text)
    assert "networks: [back]" in text
    port = re.search(r"sc://spark:(\d+)", text)
    assert port
    assert int(port[1]) == spark_session.PORT


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


def services() -> dict[str, str]:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return dict(re.findall(r"^  (\w+):.*\n((?:    .*\n|\n)+)", text, flags=re.MULTILINE))


def networks(service: str) -> set[str]:
    named = re.search(r"^    networks: \[([^]]+)\]", services()[service], flags=re.MULTILINE)
    return set(named[1].split(", ")) if named else {"back"}


def test_what_sends_mail_or_fetches_a_feed_reaches_the_world_and_servers_do_not() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert "networks: { front: {}, egress: {}, back: { internal: true } }" in text
    assert {name for name in services() if "egress" in networks(name)} == {"web", "pages", "worker"}
    assert networks("db") == networks("cache") == networks("loop") == networks("beat") == {"back"}
    assert networks("proxy") == {"front"}
    assert "front" in networks("web")


def test_servers_prove_who_they_are() -> None:
    """So no start needs INNER_NETWORK. Names in the certificates are those that the addresses have."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert "INNER_NETWORK" not in text
    plain = re.sub(r"\$\{\w+:\?\}", "secret", re.sub(r"\\\n\s+", "", text))  # a line that goes on in the next is one
    given = {name: re.search(rf"^    {name}: \"?(.+?)\"?$", plain, flags=re.MULTILINE) for name in SERVERS}
    addresses = {name: match[1] for name, match in given.items() if match}
    database = conninfo_to_dict(addresses["DATABASE_URL"])
    host, options = str(database.pop("host")), {name: str(value) for name, value in database.items()}
    wire.refuse_plain({"HOST": host}, options, valkey=addresses["REDIS_URL"])
    cache = urlsplit(addresses["REDIS_URL"])
    assert options["sslrootcert"] == parse_qs(cache.query)["ssl_ca_certs"][0] == "/certificates/ca.pem"
    assert f'"/certificates", "999", "{host}", "{cache.hostname}"]' in services()["certificates"]
    assert "-cssl=on" in services()[host]
    assert "--port 0 --tls-port 6379" in services()[str(cache.hostname)]
    for name, service in (("db", services()[host]), ("cache", services()[str(cache.hostname)])):
        assert all(f"/certificates/{name}.{kind}" in service for kind in ("pem", "key"))
        assert "certificates:/certificates:ro" in service
        assert "after-certificates" in service


def test_the_proxy_asks_again_where_the_web_is() -> None:
    text = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    assert "resolver 127.0.0.11 valid=5s" in text
    assert re.search(r"upstream web \{\s+zone web \S+;\s+server web:8000 resolve;", text)
    image = re.search(r"image: nginx:(\d+)\.(\d+)", services()["proxy"])
    assert image
    assert (int(image[1]), int(image[2])) >= (1, 28)  # "resolve" is in the free one since 1.27.3


def test_every_service_that_stays_up_says_whether_it_is_well() -> None:
    assert "http://127.0.0.1:8081/" in services()["proxy"]
    assert "listen 127.0.0.1:8081;" in (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    assert [name for name in ("db", "cache", "web", "pages", "proxy") if "healthcheck" not in services()[name]] == []
