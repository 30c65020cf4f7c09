"""Who gets which arm: a keyed hash of the person, so that nothing has to be remembered."""

from collections.abc import Sequence
from hashlib import blake2b

KEY_BYTES = 8
STEPS = 2**53  # what a float can tell apart in [0, 1)


def share_of(salt: bytes, key: int) -> float:
    """Point of a key in [0, 1), evenly spread, the same for ever and independent from salt to salt.

    BLAKE2b (Saarinen and Aumasson 2015, RFC 7693) keyed with the salt, of the key as eight bytes; the upper 53 bits
    count, so that 1 is never reached. ``key`` is a signed 64-bit number, ``salt`` has at most 64 bytes; raises
    OverflowError and ValueError where they are not.
    """
    digest = blake2b(key.to_bytes(KEY_BYTES, "big", signed=True), digest_size=KEY_BYTES, key=salt).digest()
    return (int.from_bytes(digest, "big") >> 11) / STEPS


def arm_of(point: float, shares: Sequence[float]) -> int:
    """Arm whose stretch of [0, 1) holds the point, where the arms' shares lie one after the other.

    Shares are ≥ 0 and sum to 1; an arm with share 0 holds no point. What rounding leaves above the last sum falls to
    the last arm that has a share. Raises ValueError where no arm has one.
    """
    end, last = 0.0, -1
    for arm, share in enumerate(shares):
        if share <= 0:
            continue
        end, last = end + share, arm
        if point < end:
            return arm
    if last < 0:
        raise ValueError("no arm has a share")
    return last
