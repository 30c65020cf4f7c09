"""Clicks that a task took: presses of the pointer, whatever they land on; keys are free."""

from typing import Literal

from tests.journeys.conftest import Visitor

type Role = Literal["button", "link"]

KEY = "clicks of a task"
COUNTED = f"""
document.addEventListener("pointerdown", (event) => {{
  if (event.isTrusted) sessionStorage.setItem("{KEY}", Number(sessionStorage.getItem("{KEY}") ?? 0) + 1);
}}, true);
"""


class Clicks:
    """Counts from its making on, over every page that the window goes to."""

    def __init__(self, visitor: Visitor) -> None:
        self.page = visitor.page
        self.page.add_init_script(COUNTED)
        self.page.evaluate(COUNTED)
        self.page.evaluate(f'sessionStorage.removeItem("{KEY}")')

    @property
    def number(self) -> int:
        return int(self.page.evaluate(f'Number(sessionStorage.getItem("{KEY}") ?? 0)'))

    def __call__(self, role: Role, name: str) -> None:
        """Click the first that has this role and name."""
        self.page.get_by_role(role, name=name).first.click()
