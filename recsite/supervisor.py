"""Web, workers, beat, the post office and the demo's shop: started together, again when one dies, and ended together.

``manage.py demo`` and ``manage.py shop`` prepare the data and then become this program, which needs no Django itself.
An installation that serves a shop uses docker-compose.yml or the machine's own service manager instead.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

from demo.invented import push_service
from recsite import announcing
from recsite.processes import spawn

_LOOK_SECONDS = 0.3
_READY_SECONDS = 120.0
_STOP_SECONDS = 10
_STEADY_SECONDS = 30  # a child that lived that long starts again at once
_LONGEST_PAUSE = 30.0
_PORT_SECONDS = 5.0  # that the port of a program which ended may take to be free again
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_THREADS_OF_WEB = 18
_ROOT = Path(__file__).resolve().parent.parent
_AS_ROOT = "ignore:You're running the worker with superuser privileges"  # a demo in a container may
# Where a core is wanted by all, an answer of the shop goes before pages and before the loop's work.
_LAST = ("nice", "-n", "15")
_CELERY = (*_LAST, sys.executable, "-W", _AS_ROOT, "-m", "celery", "--quiet", "--app", "recsite")


class PortTakenError(Exception):
    """Another program listens where one of ours should; the message says where and what to do."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(
            f"Port {port}, on which {name} should listen, is taken by another program. End that, or"
            f" start it with PORT={port + 10}."
        )


class Child:
    """One program; its lines come out with its name in front."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        stop: signal.Signals,
        orphaned: signal.Signals,
        threads: int = 1,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the program: ``stop`` ends it in order, ``orphaned`` when we died. ``env`` is added to our own.

        A program with a ``port`` is the only one that may listen there.
        """
        self.name, self._port = name, port
        self._argv, self._stop, self._orphaned = argv, stop, orphaned
        self._env = os.environ | dict.fromkeys(_THREADS, str(threads)) | dict(env or {})
        self._pause, self._started, self._due, self._stopping = 0.0, 0.0, 0.0, False
        self._process: subprocess.Popen[bytes] | None = None

    def keep_alive(self) -> None:
        """Start the program if it does not run; one that dies young waits longer each time. Raises PortTakenError."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            self._pause = 0.0 if now - self._started > _STEADY_SECONDS else min(2 * self._pause + 0.5, _LONGEST_PAUSE)
            _say(self.name, f"ended with {self._process.returncode}; starts again in {self._pause:g} s")
            self.end_rest()
            self._due = now + self._pause
        if self._process is None and now >= self._due:
            if self._port is not None and not _is_free(self._port):
                self._due = self._due or now
                if now - self._due > _PORT_SECONDS:
                    raise PortTakenError(self.name, self._port)
                return
            self._started = now
            self._process = spawn(self._argv, stop=self._orphaned, output=subprocess.PIPE, env=self._env)
            threading.Thread(target=self._pass_on, args=(self._process.stdout,), daemon=True).start()

    def ask_to_stop(self) -> None:
        self._stopping = True
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self._stop)

    def wait(self, seconds: float) -> None:
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            self.end_rest()

    def end_rest(self) -> None:
        """End what is left of the group: a pool process in the middle of a task outlives its worker."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _pass_on(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                text = line.decode(errors="replace").rstrip()
                if text and not self._stopping:  # Celery takes a stop for a Ctrl-C and asks for another
                    _say(self.name, text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _say(name: str, line: str) -> None:
    sys.stdout.write(f"{name:>7} | {line}\n")
    sys.stdout.flush()


def _worker(queue: str, *, processes: int) -> tuple[str, ...]:
    quiet = ("--loglevel", "WARNING", "--without-gossip", "--without-mingle")
    return (*_CELERY, "worker", *quiet, "--concurrency", str(processes), "-Q", queue, "-n", f"{queue}@%h")


def _web(application: str, *, port: int, threads: int = 4) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        # Granian warns of more threads than cores; most of them wait for others (recsite/lanes.py).
        *("--workers", "1", "--blocking-threads", str(threads), "--log-level", "error", application),
    )


def _free_port() -> int:
    """A port for a process that nobody but our own ones ask."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def shop_environment(data: Path) -> dict[str, str]:
    """Environment of the demo's shop: its settings, and the client that a shop of its own would have installed."""
    return {"STOREFRONT": str(shop_settings(data)), "PYTHONPATH": f"{_ROOT}{os.pathsep}{_ROOT / 'clients/python'}"}


def shop_settings(data: Path) -> Path:
    return data / "storefront/settings.json"


def has_post_office() -> bool:
    """Whether mail to customers stays here; the settings refuse a server of one's own without ``DEMO_REAL_MAIL``."""
    return not os.environ.get("PUSH_EMAIL_URL")


def post_environment(port: int) -> dict[str, str]:
    """Environment of whoever sends mail: it goes to the post office, and the settings know it as that."""
    address = f"smtp://127.0.0.1:{port}"
    return {"PUSH_EMAIL_URL": address, "POST_OFFICE": address}


def web_environment(port: int) -> dict[str, str]:
    """Environment of whoever posts to browsers and webhooks: those of the post office may be on this machine."""
    names = ("PUSH_SERVICE_HOSTS", "WEBHOOK_HOSTS")
    return {name: ",".join(filter(None, (os.environ.get(name, ""), push_service(port)))) for name in names}


def children(*, port: int, data: Path, shop_port: int | None = None, push_port: int | None = None) -> list[Child]:
    """Programs of an installation; ``shop_port`` None: without the demo's shop, ``push_port``: its push service."""
    beat = (*_CELERY, "beat", "--loglevel", "WARNING", "--pidfile=", "--schedule", str(data / "beat-schedule"))
    polite = partial(Child, stop=signal.SIGTERM, orphaned=signal.SIGTERM)
    # SIGQUIT: a worker gives the task in hand back to the queue instead of finishing it first. For that it needs Valkey
    # and waits for it; so when all of us were killed it goes at once, and the watchdog of runs sees to the rest.
    worker = partial(Child, stop=signal.SIGQUIT, orphaned=signal.SIGKILL)
    shop = (
        []
        if shop_port is None
        else [
            polite(
                "shop",
                _web("storefront.wsgi:application", port=shop_port),
                port=shop_port,
                env=shop_environment(data) | ({"STOREFRONT_PUSH": push_service(push_port)} if push_port else {}),
            )
        ]
    )
    post, sends = [], dict[str, str]()
    if has_post_office():
        post_port = _free_port()
        sends = post_environment(post_port)
        argv = [sys.executable, "-m", "recsite.post", "--folder", str(data / "post"), "--port", str(post_port)]
        if push_port is not None:
            sends |= web_environment(push_port)
            argv += ["--web-port", str(push_port)]
        post = [polite("post", (*_LAST, *argv), port=post_port)]
    pages_port = _free_port()
    web = partial(_web, "recsite.wsgi:application", threads=_THREADS_OF_WEB)
    return [
        *post,
        polite("web", web(port=port), port=port, env=sends | {"PAGES_URL": f"http://127.0.0.1:{pages_port}"}),
        polite("pages", (*_LAST, *web(port=pages_port)), env=sends),
        worker("loop", _worker("loop", processes=1), threads=os.cpu_count() or 1, env=sends),
        worker("worker", _worker("default", processes=2), env=sends),
        polite("beat", beat, env=sends),
        *shop,
    ]


def missing(url: str) -> dict[str, str] | None:
    """What the web process says is missing; empty when it is ready, None when it does not answer."""
    try:
        with urllib.request.urlopen(f"{url}readyz", timeout=2) as answer:  # noqa: S310 - an http address of our own
            answer.read()
            return {}
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
        return dict(json.loads(body)["missing"]) if error.code == 503 else {"web": f"answers with {error.code}"}
    except (OSError, ValueError):
        return None


def run(*, port: int, shop_port: int | None, data: Path, patience: float, push_port: int | None = None) -> int:
    """Keep everything running until a signal ends it; says when it is ready, and ends if it is not so in time."""
    url, announced, begin = f"http://127.0.0.1:{port}/", False, time.monotonic()
    family = children(port=port, shop_port=shop_port, push_port=push_port, data=data)
    try:
        while True:
            for child in family:
                child.keep_alive()
            if not announced:
                problems = missing(url)
                if problems == {}:
                    announced = _announce(data)
                elif time.monotonic() - begin > patience:
                    sys.stderr.write(f"Not ready after {patience:g} s: {problems or 'no answer from the web'}\n")
                    return 1
            time.sleep(_LOOK_SECONDS)
    except PortTakenError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        for child in reversed(family):
            child.ask_to_stop()
        end = time.monotonic() + _STOP_SECONDS
        for child in family:
            child.wait(max(0.1, end - time.monotonic()))


def _announce(data: Path) -> bool:
    """Print what the installation is reached by, now that it answers."""
    if (data / "shop.json.pending").exists():
        announcing.announce_shop(data)
    else:
        announcing.announce_demo(data, mailbox=has_post_office())
    return True


def _leave(number: int, _frame: FrameType | None) -> None:
    for later in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(later, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m recsite.supervisor")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--shop-port", type=int, help="of the demo's shop; without it, none")
    parser.add_argument("--push-port", type=int, help="of the demo's push service; without it, none")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--patience", type=float, default=_READY_SECONDS, help="seconds until it has to be ready")
    options = parser.parse_args(argv)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    return run(
        port=options.port, shop_port=options.shop_port, push_port=options.push_port, data=options.data,
        patience=options.patience,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
