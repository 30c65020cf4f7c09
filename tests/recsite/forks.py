"""Processes that begin with other people's libraries loaded: to start Python and load them takes most of a case.

A process that knows nothing of ours is asked for each case, and forks: the child has the case's environment and nothing
else of any, loads all that is ours anew, and ends as every process does, with its traceback and its exit code.
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.architecture.source import ROOT

LIBRARIES = (
    "celery.app.base", "cryptography.hazmat.primitives.asymmetric.ec", "django.core.management", "django.test",
    "hiredis", "msgspec", "numpy", "orjson", "pandas", "psycopg_pool", "pyarrow.compute", "pyarrow.csv", "redis",
    "scipy.sparse", "structlog", "urllib3",
)  # fmt: skip
"""None of them reads a setting or a variable of ours when it is loaded."""


class Forks:
    """Runs programs as ``python -W error -c`` would, one after another."""

    def __init__(self, server: "subprocess.Popen[str]", folder: Path) -> None:
        self._server, self._folder = server, folder

    def run(self, code: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a program with this environment; what it printed and its exit code."""
        out, err = (self._folder / name for name in ("stdout", "stderr"))
        assert self._server.stdin
        assert self._server.stdout
        case = {"code": code, "env": dict(env), "stdout": str(out), "stderr": str(err)}
        self._server.stdin.write(json.dumps(case) + "\n")
        self._server.stdin.flush()
        ended = self._server.stdout.readline()
        assert ended, "the process that forks has ended"
        return subprocess.CompletedProcess(code, int(ended), out.read_text("utf-8"), err.read_text("utf-8"))


@contextmanager
def forks(folder: Path) -> Iterator[Forks]:
    argv = [sys.executable, "-W", "error", "-W", "ignore:No directory at", "-m", "tests.recsite.forks"]
    env = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    env["OPENBLAS_NUM_THREADS"] = "1"  # who has threads does not fork
    with subprocess.Popen(argv, cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        yield Forks(server, folder)


def _next_case() -> dict[str, Any] | None:
    """The case of a child that was forked for it; nothing in the process that forks, when no more are asked for."""
    for line in sys.stdin:
        case: dict[str, Any] = json.loads(line)
        child = os.fork()
        if not child:
            return case
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{ended}\n")
        sys.stdout.flush()
    return None


def _become(case: Mapping[str, Any]) -> None:
    """Take the environment of the case, and print to its files."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        file = os.open(case[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(case["env"])


if __name__ == "__main__":
    for library in LIBRARIES:
        import_module(library)
    gc.freeze()  # a child that ends looks through all that it has, which takes longer than many a case
    assert not {"django.conf.settings", "recommendations", "recsite"} & sys.modules.keys()
    given = _next_case()
    if given is not None:
        _become(given)
        exec(compile(given["code"], "<string>", "exec"), {"__name__": "__main__"})
