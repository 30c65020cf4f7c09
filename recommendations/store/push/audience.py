"""Who a campaign has in view: the people of its audiences, each once."""

from collections.abc import Collection

from recommendations.store.attribution.statements import PERSON_ASIDE
from recommendations.store.temp_tables import rows

# Whoever objects to personalisation is in view, too: the gates say of them that they did not consent. Of visitors only
# who has given an address.
_EVERYBODY = f"""
SELECT customer.id FROM recommendations_customer customer
WHERE NOT {PERSON_ASIDE.format("customer.id")}
  AND (customer.kind = 'signed_in'
       OR EXISTS (SELECT FROM recommendations_contact contact WHERE contact.customer_id = customer.id))
  AND NOT EXISTS (SELECT FROM recommendations_customeralias alias
                  WHERE alias.anonymous_id = customer.id AND alias.undone_at IS NULL)
"""  # noqa: S608 - parts of our own
_MEMBERS = "SELECT customer_id FROM recommendations_audiencemember WHERE audience_id = ANY(%({})s)"
_ANY_OF, _NONE_OF = _MEMBERS.format("any_of"), _MEMBERS.format("none_of")


def people_in(*, any_of: Collection[int], none_of: Collection[int] = ()) -> list[int]:
    """Keys of the people who are in one of these audiences, or of everybody, but for those in one of the others."""
    return [key for (key,) in rows(f"{_statement(any_of, none_of)} ORDER BY 1", **_values(any_of, none_of))]


def is_in(customer: int, *, any_of: Collection[int], none_of: Collection[int] = ()) -> bool:
    """Whether somebody is one of these people."""
    statement = f"{_statement(any_of, none_of)} AND customer.id = %(customer)s"
    return bool(rows(statement, customer=customer, **_values(any_of, none_of)))


def _statement(any_of: Collection[int], none_of: Collection[int]) -> str:
    among = f" AND customer.id IN ({_ANY_OF})" if any_of else ""
    outside = f" AND customer.id NOT IN ({_NONE_OF})" if none_of else ""
    return f"{_EVERYBODY}{among}{outside}"


def _values(any_of: Collection[int], none_of: Collection[int]) -> dict[str, list[int]]:
    return {"any_of": list(any_of), "none_of": list(none_of)}
