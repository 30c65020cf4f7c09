"""Programs of a machine that a test has not: each is this file under another name, in front of the PATH.

What changes nothing that a test looks at (``apt-get``) is noted only; ``sudo`` runs the rest as who we are; what units
say is started by ``systemctl``; ``docker`` notes what it was asked, for the test to judge; ``age`` seals nothing.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(os.environ.get("MACHINE", "/nowhere"))
OWNERS = {"-g", "-o"}


def main(name: str, given: list[str]) -> int:
    with (ROOT / "asked").open("a", encoding="utf-8") as asked:
        asked.write(json.dumps([name, *given]) + "\n")
    programs = {
        "sudo": sudo, "install": install, "make": make, "systemctl": systemctl, "createuser": createuser, "age": age,
    }  # fmt: skip
    return programs.get(name, lambda _given: 0)(given)


def sudo(given: list[str]) -> int:
    """Run what follows the options and settings of variables."""
    while given and given[0].startswith("-"):
        given = given[2:] if given[0] == "-u" else given[1:]
    if "createsuperuser" in given:  # it asks, and nobody is there
        given.append("--noinput")
    return subprocess.run(given, check=False).returncode


def install(given: list[str]) -> int:
    """Run install without owners, as there is no such user."""
    kept = [part for at, part in enumerate(given) if part not in OWNERS and given[max(at - 1, 0)] not in OWNERS]
    return subprocess.run(["/usr/bin/install", *kept], check=False).returncode


def make(given: list[str]) -> int:
    """Take the environment that is there already for ``make -C FOLDER install``."""
    link = Path(given[given.index("-C") + 1]) / ".venv"
    if not link.exists():
        link.symlink_to(os.environ["ENVIRONMENT"])
    return 0


def createuser(given: list[str]) -> int:
    program = Path(os.environ["PROGRAMS"]) / "createuser"
    return subprocess.run([program, *(part for part in given if part != "--pwprompt")], check=False).returncode


def age(_given: list[str]) -> int:
    """Hand on what comes in, unsealed."""
    shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
    return 0


def systemctl(given: list[str]) -> int:
    """Start, stop or restart what is named; ``enable`` alone starts nothing."""
    verb, names = given[0], [name.removesuffix(".service") for name in given[1:] if not name.startswith("-")]
    if verb in {"stop", "restart"}:
        for name in names:
            stop(name)
    if verb == "restart" or (verb == "enable" and "--now" in given):
        for name in names:
            if not name.endswith(".target"):
                start(name)
    return 0


def stop(name: str) -> None:
    noted = ROOT / "running" / name
    if not noted.exists():
        return
    group = int(noted.read_text(encoding="utf-8"))
    noted.unlink()
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            return
        time.sleep(1)


def start(name: str) -> None:
    """Start a unit as systemd would, with the variables of its files; nginx with its own configuration."""
    if name == "nginx":
        argv, env, folder = (
            ["nginx", "-e", "stderr", "-c", str(ROOT / "etc/nginx/nginx.conf"), "-g", "daemon off;"],
            {},
            ROOT,
        )
    else:
        units = ROOT / "etc/systemd/system"
        common = settings_of(units / "recsite-.service.d/common.conf")
        own = settings_of(units / f"{name}.service")
        env = dict(
            word.split("=", 1) for line in common["Environment"] + own.get("Environment", []) for word in line.split()
        )
        env |= environment_file(Path(common["EnvironmentFile"][0]))
        argv, folder = own["ExecStart"][0].replace("%%", "%").split(), Path(common["WorkingDirectory"][0])
        for runtime in own.get("RuntimeDirectory", []):
            (ROOT / "run" / runtime).mkdir(parents=True, exist_ok=True)
    with (ROOT / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=os.environ | env,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    (ROOT / "running").mkdir(exist_ok=True)
    (ROOT / "running" / name).write_text(str(process.pid), encoding="utf-8")


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Settings of a unit's file, each with the lines that it has."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.startswith(("#", "[")):
            found.setdefault(name, []).append(value)
    return found


def environment_file(file: Path) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines() if "=" in line)
    return {name: value.strip("\"'") for name, value in pairs}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[0]).name, sys.argv[1:]))
