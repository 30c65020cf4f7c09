"""The demo's unknown messages, settled by what its post office has: there it can be looked up what arrived."""

from pathlib import Path

from demo.mailbox import hash_of_id, ids_of
from recommendations.services.mails.letters import message_id
from recommendations.services.mails.returns import id_part
from recommendations.services.push.again import taken_after_all, unknown_messages


def settle_unknown(folder: Path) -> int:
    """Note of the messages that nobody knows of whether the post office took them; how many it did."""
    unknown = unknown_messages()
    if not unknown:
        return 0
    arrived = ids_of(folder)
    return taken_after_all([key for key in unknown if hash_of_id(message_id(str(key), id_part(key))) in arrived])
