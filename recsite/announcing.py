"""What is printed when an installation on this machine answers: addresses, login and keys."""

import json
import sys
from pathlib import Path
from typing import Any

from recsite.embedded.folders import write_private

_ONCE = ("password", "server_key", "pages_key")
"""What is printed when it is new, and kept nowhere."""


def announce_demo(data: Path, *, mailbox: bool) -> None:
    """Publish the demo's credentials (their file appears only now, so it also says that the demo is up).

    ``mailbox``: what it sends to customers stays here, and can be read.
    """
    pending, published = data / "demo.json.pending", data / "demo.json"
    if pending.exists():
        pending.rename(published)
    if not published.exists():
        return
    credentials = json.loads(published.read_text(encoding="utf-8"))
    address = f"{credentials['url']}api/v1/placements/home/recommend/?user_id=1&n=5"
    _print(
        f"Recsite   {credentials['url']}",
        f"Shop      {credentials['shop_url']}",
        *([f"Mailbox   {credentials['url']}mailbox/   what customers are sent"] if mailbox else []),
        f"Login     {credentials['username']}   {credentials['password']}",
        f"API key   {credentials['read_key']}   reads recommendations only",
        f"Try       curl -H 'Authorization: Api-Key {credentials['read_key']}' '{address}'",
        f"More      {published} has a key that may do everything, {data / 'mail'} the e-mails to staff",
        "Stop      Ctrl-C",
    )


def announce_shop(data: Path) -> None:
    """Print the way to a shop of one's own. What is secret is printed this once; the file keeps the rest."""
    pending, published = data / "shop.json.pending", data / "shop.json"
    values: dict[str, Any] = json.loads(pending.read_text(encoding="utf-8"))
    lines = [f"Recsite     {values['url']}", f"Your data   {values['url']}setup/your-data/"]
    if "password" in values:
        lines.append(f"Login       {values['username']}   {values['password']}")
    else:
        lines.append(f"Login       {values['username']}   (its password: manage.py changepassword, docs/commands.md)")
    if "server_key" in values:
        key = values["server_key"]
        address = f"{values['url']}api/v1/placements/home/recommend/?n=5"  # of nobody: ids are the shop's
        lines.append(f"Server key  {key}   stays on the shop's server")
        lines.append(f"Try         curl -H 'Authorization: Api-Key {key}' '{address}'")
    if "pages_key" in values:
        origins = ", ".join(values["origins"])
        lines.append(f"Pages key   {values['pages_key']}   sends events and fills slots in pages of {origins}")
    if any(name in values for name in _ONCE):
        lines.append("Write these down: they are shown once. New keys: Setup, API keys")
    lines += [f"E-mails     to staff lie in {data / 'mail'}", "Stop        Ctrl-C"]
    _print(*lines)
    write_private(published, json.dumps({name: value for name, value in values.items() if name not in _ONCE}))
    pending.unlink()


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"\n  {line}" for line in lines) + "\n\n")
    sys.stdout.flush()
