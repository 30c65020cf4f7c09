"""Fresh keys, as lines for an environment file, or as files that nobody else can read."""

import os
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

from django.core.management.base import CommandError


def add_folder(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="write each into a file there, which nobody else can read"
    )


def key_lines(keys: Mapping[str, str], folder: Path | None) -> list[str]:
    """The lines of an environment file: the keys themselves, or where the files of them are."""
    return [f"{name}={value}" for name, value in (_files(keys, folder) if folder else keys).items()]


def _files(keys: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Write each key into a file of its own; setting that names it → its path. Nothing is overwritten."""
    paths = {name: folder.absolute() / name.lower() for name in keys}
    if there := [path.name for path in paths.values() if path.exists() or path.is_symlink()]:
        raise CommandError(f"{folder} has {', '.join(there)} already; nothing was written. Choose another folder.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, path in paths.items():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(f"{keys[name]}\n")
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be written: {error.strerror}.") from error
    return {f"{name}_FILE": str(path) for name, path in paths.items()}
