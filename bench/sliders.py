"""Latency from the hand to the eye on the weights page: ``python -m bench.sliders`` while ``make demo`` runs.

Chromium signs in, moves sliders by key and waits after each move until the chart and the table of the new values are
painted: from the time stamp of the browser's input event to the first message after the frame in which Plotly's promise
was kept; the customers' lists follow in the next frame. A move whose chart or table stays as it was is an error, not a
fast move. The server's part is what its ``Server-Timing`` header says.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

KEYS = ("ArrowRight", "PageUp", "ArrowLeft", "PageDown")
"""One step and a tenth of the track, up and down, so that no slider comes to its end."""

WARM_UP = 4  # moves that are not counted
TIMEOUT = 20_000  # milliseconds
LIMITS = {"painted": (100.0, 200.0), "server": (40.0, None)}  # milliseconds: median, p95
OBSERVER = """
window.painted = [];
new PerformanceObserver((list) => list.getEntries().filter((entry) => entry.name === "weights")
  .forEach((entry) => window.painted.push({ took: entry.duration, timing: entry.detail })))
  .observe({ type: "measure", buffered: true });
"""
SHOWN = """() => [document.getElementById("effect-table").innerText,
  JSON.stringify(document.getElementById("effect-chart").data.map(({ x }) => x))]"""


@dataclass(frozen=True, kw_only=True)
class Move:
    """A move in ms: until the frame is painted, of that within the server, and of that measuring the panel."""

    painted: float
    server: float
    panel: float


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    login = json.loads((options.data / "demo.json").read_text(encoding="utf-8"))
    site = (options.url or login["url"]).rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = _signed_in(browser, site, login)
        page.goto(f"{site}/weights/?blend={options.blend}&load=live")
        page.wait_for_function("() => document.getElementById('worth-chart')?.dataset.drawn", timeout=TIMEOUT)
        customers = page.locator("#effect .card-head .note").inner_text()
        moves = [_moved(page, number, options.pause) for number in range(WARM_UP + options.moves)][WARM_UP:]
        browser.close()
    result = {"site": site, "blend": options.blend, "panel": customers, "pause_ms": options.pause, **summary(moves)}
    print(as_text(result))  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if result["kept"] else 1


def summary(moves: Sequence[Move]) -> dict[str, Any]:
    """Median and 95th percentile of each part, and whether the limits are kept."""
    parts = {name: [getattr(move, name) for move in moves] for name in ("painted", "server", "panel")}
    spread = {
        name: {"median": round(float(np.median(took)), 1), "p95": round(float(np.percentile(took, 95)), 1)}
        for name, took in parts.items()
    }
    within = all(
        spread[name]["median"] <= median and (p95 is None or spread[name]["p95"] <= p95)
        for name, (median, p95) in LIMITS.items()
    )
    return {
        "moves": len(moves),
        "milliseconds": spread,
        "kept": within,
        "each": [round(move.painted, 1) for move in moves],
    }


def as_text(result: dict[str, Any]) -> str:
    names = {"painted": "input to painted", "server": "  server", "panel": "    panel"}
    lines = [f"{result['moves']} moves, {result['panel']}", f"{'milliseconds':20}{'median':>9}{'p95':>9}"]
    for name, words in names.items():
        took = result["milliseconds"][name]
        lines.append(f"{words:20}{took['median']:9.1f}{took['p95']:9.1f}")
    return "\n".join([*lines, f"limits {'kept' if result['kept'] else 'NOT kept'}: {LIMITS}"])


def timing(header: str) -> dict[str, float]:
    """Parse ``panel;dur=21.3, page;dur=30.1`` to milliseconds by name."""
    parts = (part.partition(";dur=") for part in header.split(", "))
    return {name: float(took) for name, _, took in parts}


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(".local"), help="the demo's folder, with its demo.json")
    parser.add_argument("--url", help="another address than that of demo.json")
    parser.add_argument("--blend", default="home", choices=["home", "discover"])
    parser.add_argument("--moves", type=int, default=40)
    parser.add_argument("--pause", type=int, default=200, help="milliseconds between a painted frame and the next move")
    parser.add_argument("--json", type=Path, help="also write the result there")
    return parser.parse_args(argv)


def _chromium() -> str:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    program = next((path for name in names if name and (path := shutil.which(name))), None)
    if program is None:
        raise SystemExit("No Chromium: install it, or name it with CHROMIUM=/path/to/chromium.")
    return program


def _signed_in(browser: Browser, site: str, login: dict[str, str]) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en").new_page()
    page.set_default_timeout(TIMEOUT)
    page.add_init_script(OBSERVER)
    page.goto(f"{site}/login/")
    page.fill("[name=username]", login["username"])
    page.fill("[name=password]", login["password"])
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{site}/")
    return page


def _moved(page: Page, number: int, pause: int) -> Move:
    """Move the next slider by the next key; they take turns."""
    sliders = page.locator(".setting:not(details *) [type=range]")
    before, done = page.evaluate(SHOWN), page.evaluate("window.painted.length")
    slider = sliders.nth(number // len(KEYS) % sliders.count())
    slider.focus()
    page.keyboard.press(KEYS[number % len(KEYS)])
    page.wait_for_function("(done) => window.painted.length > done", arg=done, timeout=TIMEOUT)
    after = page.evaluate(SHOWN)
    if after[0] == before[0] or after[1] == before[1]:
        raise SystemExit(f"Move {number} changed nothing that can be seen.")
    painted = page.evaluate("window.painted.at(-1)")
    parts = timing(painted["timing"])
    page.wait_for_timeout(pause)
    return Move(painted=painted["took"], server=parts["page"], panel=parts["panel"])


if __name__ == "__main__":
    sys.exit(main())
