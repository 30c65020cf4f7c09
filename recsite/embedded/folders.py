"""Folders of the servers when they run under a user of their own, and the private files of one install."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from recommendations.channels.sealing import new_vapid_key
from recommendations.channels.signing import new_seed
from recsite.embedded.server import ServerError


def open_to_all(path: Path) -> bool:
    """Whether every other user can pass through to ``path``. Under root PostgreSQL is another user; /root is closed."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.exists())


def side_folder(path: Path) -> Path:
    """A folder of ours with a short name outside ``path``; always the same one for the same path."""
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:10]
    folder = Path("/var/tmp") / f"recsite-{os.geteuid()}-{digest}"  # noqa: S108 - its owner is checked
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise ServerError(f"{folder} belongs to somebody else; remove it, or choose another folder with DATA=….")
    folder.chmod(0o711)  # whatever the umask took from it
    return folder


def reachable_programs(programs: Path) -> Path:
    """PostgreSQL's programs, copied once to where every user can run them if they lie in a closed folder."""
    package = programs.parents[1]
    if open_to_all(programs):
        return programs
    target = side_folder(package)
    if not (target / "complete").exists():
        for folder in (package, package.with_name(f"{package.name}.libs")):  # the programs find their libraries there
            shutil.copytree(folder, target / folder.name, dirs_exist_ok=True)
        (target / "complete").touch()
    return target / package.name / programs.relative_to(package)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.rename(path)


def demo_vapid_key(path: Path) -> Path:
    """A file with a key of VAPID, made on first use."""
    if not path.exists():
        write_private(path, f"{new_vapid_key()}\n")
    return path


def demo_seed(path: Path) -> Path:
    """A file with a key that signs receipts, made on first use."""
    if not path.exists():
        write_private(path, f"{new_seed()}\n")
    return path


def remembered_settings(path: Path, *, given: Mapping[str, str]) -> dict[str, str]:
    """Variables of the shop in this folder, which ``manage.py shop`` wrote, but those that are ``given`` anew."""
    values = dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
    plain = {name.removesuffix("_FILE") for name in given}  # a secret stands in its variable, or in a file
    return {name: value for name, value in values.items() if name.removesuffix("_FILE") not in plain}


def demo_secret(path: Path) -> Path:
    """A file with a random secret, made on first use. Settings refuse what begins with ``demo-`` in production."""
    if not path.exists():
        write_private(path, f"demo-{secrets.token_urlsafe(48)}\n")
    return path
