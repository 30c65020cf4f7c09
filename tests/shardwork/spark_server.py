"""A Spark of two executors on this machine, with its Connect server; it needs pyspark and Java."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from recommendations.shardwork.spark_session import place_of
from tests.recsite.processes import wait_for

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "right"


def as_it_is(argv: Sequence[str]) -> Sequence[str]:
    return argv


@contextmanager
def spark_server(
    folder: Path, *, memory_mb: int = 1_024, within: Callable[[Sequence[str]], Sequence[str]] = as_it_is
) -> Iterator[str]:
    """Start it in a folder, and tell its address; ``within`` may lay another command around its own."""
    import pyspark  # noqa: PLC0415 - an environment of its own has it

    home = Path(pyspark.__file__).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.port": port, "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false",
        "spark.executorEnv.PYTHONPATH": ROOT, "spark.pyspark.python": sys.executable,
        "spark.connect.authenticate.token": TOKEN, "spark.executor.extraJavaOptions": f"-Drecsite.mine={port}",
    }  # fmt: skip
    argv = [str(home / "bin" / "spark-submit"), "--master", f"local-cluster[2,1,{memory_mb}]"]
    argv += ["--properties-file", str(ROOT / "deploy" / "spark" / "spark-defaults.conf")]
    argv += [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    argv += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
    environment = {**os.environ, "SPARK_HOME": str(home), "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            within(argv), env=environment, cwd=folder, stdout=said, stderr=said, start_new_session=True
        )
        try:
            assert wait_for(lambda: _answers(port), seconds=180), (folder / "said").read_text()[-2_000:]
            yield f"sc://localhost:{port}/;token={TOKEN}"  # on this machine a token goes without TLS
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def executors(url: str) -> list[int]:
    """Java processes that do tasks for the server at an address."""
    return _running(f"-Drecsite.mine={_port(url)}", "CoarseGrainedExecutorBackend")


def servers(url: str) -> list[int]:
    """The Java process of the server at an address."""
    return _running(f"spark.connect.grpc.binding.port={_port(url)}", "SparkSubmit")


def _port(url: str) -> str:
    return place_of(url).rpartition(":")[2]


def _running(mark: str, program: str) -> list[int]:
    found = []
    for told in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            argv = told.read_bytes().decode(errors="replace").split("\0")
            if mark in argv and any(program in one for one in argv):
                found.append(int(told.parent.name))
    return found
