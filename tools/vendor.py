"""Fetch the browser's libraries by package name and version, and record what came: ``python tools/vendor.py``.

Needs npm and, for the font, the commands of fonttools with brotli. The files are committed, so nobody needs this to run
Recsite; a test compares them with ``VENDOR.json``.
"""

import csv
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Library:
    """One file of one npm package, or a sprite of one folder, and where it goes."""

    name: str
    version: str
    source: str
    target: str


LIBRARIES = (
    Library("htmx.org", "4.0.1", "dist/htmx.min.js", "static/vendor/htmx.min.js"),
    Library("@tabler/core", "1.6.1", "dist/css/tabler.min.css", "static/vendor/tabler.min.css"),
    Library(
        "plotly.js-cartesian-dist-min", "4.1.1", "plotly-cartesian.min.js", "static/vendor/plotly-cartesian.min.js"
    ),
    Library("axe-core", "4.14.1", "axe.min.js", "tests/vendor/axe.min.js"),
    Library("@tabler/icons", "3.52.0", "icons/outline", "static/img/icons.svg"),
    Library("inter-ui", "4.1.1", "variable/InterVariable.woff2", "static/vendor/inter.woff2"),
    Library("@iconify-json/fluent-emoji-flat", "1.2.6", "icons.json", "recommendations/api/pictures/emblems.json"),
)
ICON_NAMES = (ROOT / "tools/icons.txt").read_text(encoding="utf-8").split()
EMBLEM_NAMES = {
    row["emblem"]
    for table in ("shelf", "flavours")
    for row in csv.DictReader(
        (ROOT / f"recommendations/api/pictures/{table}.csv").read_text(encoding="utf-8").splitlines()
    )
}
# Latin with its marks, Greek of formulas, quotes, raised and lowered figures, currencies, arrows, triangles.
CHARACTERS = (
    "U+20-7E,U+A0-17F,U+393,U+3A3,U+3A9,U+3B1-3C9,U+2009,U+200A,U+202F,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,"
    "U+2030,U+2032,U+2033,U+2039,U+203A,U+2070,U+2074-207E,U+2080-208E,U+20A9,U+20AC,U+20B9,U+2122,U+2190-2193,U+2212,U+221A,"
    "U+2248,U+2260,U+2264,U+2265,U+25B2,U+25B6,U+25BC,U+25C0,U+25CB,U+25CF,U+2713,U+2717"
)
_SOURCE_MAP = re.compile(rb"\n?(?://# sourceMappingURL=\S+|/\*# sourceMappingURL=.*?\*/)\s*\Z")


def main() -> None:
    recorded, licences = [], []
    with tempfile.TemporaryDirectory() as folder:
        for library in LIBRARIES:
            files = _unpack(library, Path(folder))
            source = files / library.source
            # A named source map that is not there makes collectstatic fail.
            content = _prepared(library, source)
            recorded.append(_write(library, content, files))
            licences += [f"{library.name} {library.version}\n\n{text}" for text in _licence_texts(library, files)]
    (ROOT / "static/vendor/VENDOR.json").write_text(json.dumps(recorded, indent=2) + "\n", encoding="utf-8")
    (ROOT / "static/vendor/LICENCES.txt").write_text(f"\n{'-' * 79}\n".join(licences), encoding="utf-8")


def _prepared(library: Library, source: Path) -> bytes:
    """What is committed of a package's file or folder."""
    if source.is_dir():
        return _sprite(source)
    if library.target.endswith("emblems.json"):
        return _emblems(source)
    if library.target.endswith(".woff2"):
        return _subset(source)
    return _SOURCE_MAP.sub(b"\n", source.read_bytes())


def _unpack(library: Library, folder: Path) -> Path:
    """Fetch a package, and return the folder with its files."""
    argv = ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{library.name}@{library.version}"]
    archive = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()[-1]
    target = folder / f"{archive}.d"
    with tarfile.open(folder / archive) as tar:
        tar.extractall(target, filter="data")
    return next(target.iterdir())


def _licence_texts(library: Library, files: Path) -> list[str]:
    """Licences of a package; of one without such a file that of its source, or the first lines of its code say it."""
    own = ROOT / f"tools/licences/{library.name.rpartition('/')[2]}.txt"
    return [path.read_text(encoding="utf-8") for path in [*files.glob("LICENSE*"), own] if path.exists()]


def _write(library: Library, content: bytes, files: Path) -> dict[str, str]:
    path = ROOT / library.target
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    package = json.loads((files / "package.json").read_text(encoding="utf-8"))
    return {
        "file": library.target,
        "package": library.name,
        "version": library.version,
        "licence": package["license"],
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _sprite(folder: Path) -> bytes:
    """One SVG with a symbol per icon; pages use ``<use href="…icons.svg#name">``."""
    ET.register_namespace("", SVG)
    sprite = ET.Element(f"{{{SVG}}}svg")
    for name in sorted(ICON_NAMES):
        icon = ET.parse(folder / f"{name}.svg").getroot()  # noqa: S314 - a pinned package
        symbol = ET.SubElement(sprite, f"{{{SVG}}}symbol", {"id": name, "viewBox": icon.get("viewBox", "0 0 24 24")})
        shapes = ("fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin")
        symbol.attrib.update({key: icon.get(key, "") for key in shapes if icon.get(key)})
        symbol.extend(shape for shape in icon if shape.get("stroke") != "none")
    for shape in sprite.iter():
        shape.text = shape.tail = None
    return bytes(ET.tostring(sprite, encoding="utf-8")) + b"\n"


def _subset(font: Path) -> bytes:
    """The font with the characters that pages print and the weights 400 to 600, for text sizes."""
    narrowed, chosen = font.with_name("narrowed.ttf"), font.with_name("chosen.woff2")
    axes = ["wght=400:600", "opsz=14"]
    argv = ["fonttools", "varLib.instancer", "--quiet", "--no-recalc-timestamp", str(font), *axes]
    subprocess.run([*argv, "--output", str(narrowed)], check=True)
    argv = ["pyftsubset", str(narrowed), f"--unicodes={CHARACTERS}", "--layout-features=kern,ccmp,locl,mark,tnum"]
    subprocess.run([*argv, "--flavor=woff2", f"--output-file={chosen}"], check=True)
    return chosen.read_bytes()


def _emblems(file: Path) -> bytes:
    """The pictures that the tables of ``recommendations/api/pictures`` name."""
    icons = json.loads(file.read_text(encoding="utf-8"))["icons"]
    shapes = {name: icons[name]["body"] for name in sorted(EMBLEM_NAMES)}
    return (json.dumps(shapes, indent=0, ensure_ascii=False) + "\n").encode()


if __name__ == "__main__":
    main()
