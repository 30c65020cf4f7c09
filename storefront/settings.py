"""Settings of the shop, from one JSON file that ``STOREFRONT`` names; it holds keys, so it is private."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Settings:
    recsite: str  # address, as the shop and its visitors reach it
    server_key: str  # that of a shop's server, with privacy:write; never leaves this process
    browser_key: str  # events:write, recommendations:read and push:subscribe, of its origin; stands in every page
    catalogue: Path  # CSV, the one that was given to Recsite
    timeout: float  # seconds that a page waits for a slot
    currency: str  # as it stands before an amount
    customers: tuple[str, ...] = ()  # whom a visitor of the demo may sign in as
    name: str = "Corner Shop"
    language: Literal["en", "zh-hans"] = "en"  # of what Recsite says on a tile, and of My data
    plays: str = ""  # what a button says where items are not bought: Read, Play or Watch
    push_service: str = ""  # for browsers that have none: the demo's

    @classmethod
    def load(cls, file: Path) -> "Settings":
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            recsite=values["recsite"].rstrip("/"),
            server_key=values["server_key"],
            browser_key=values["browser_key"],
            catalogue=file.parent / values["catalogue"],
            timeout=values["timeout"],
            currency=values["currency"],
            customers=tuple(values["customers"]),
            name=values.get("name", cls.name),
            language=values.get("language", cls.language),
            plays=values.get("plays", ""),
        )

    @classmethod
    def of_environment(cls) -> "Settings":
        return replace(cls.load(Path(os.environ["STOREFRONT"])), push_service=os.environ.get("STOREFRONT_PUSH", ""))
