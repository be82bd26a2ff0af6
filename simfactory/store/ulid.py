"""Identifiers that sort by creation time: 48 bits of milliseconds, then 80 random bits."""

import secrets
import time

__all__ = ["new_ulid"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80
_LENGTH = 26


def new_ulid() -> str:
    """Return a fresh 26-character lower-case ULID; distinct across processes and hosts."""
    value = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "".join(_ALPHABET[value >> 5 * place & 31] for place in reversed(range(_LENGTH)))
