"""What an address is made of, how far a calendar reaches, and what may stand in one: no I/O."""

from __future__ import annotations

import hmac
import re
import unicodedata
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256

SIDES = ("bookings", "loans")
BEHIND, AHEAD = timedelta(days=92), timedelta(days=550)  # a season back; as far ahead as anything is asked for
SIGNED = 24  # bytes of the signature: with a secret of 22 signs, an address has 54
_ENDS = re.compile("\r\n|[\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029]")  # where one reader or another ends a line


def address_of(secret: str, key: str) -> str:
    """The last part of an address: its secret, and the signature without which it leads nowhere."""
    return secret + _signature(secret, key)


def secret_of(address: str, key: str) -> str | None:
    """The secret of an address that was signed with this key; None for a guessed one."""
    length = len(_signature("", key))
    secret, signature = address[:-length], address[-length:]
    return secret if hmac.compare_digest(signature, _signature(secret, key)) else None


def pseudonym(token: str, key: str) -> str:
    """Another name for something, always the same: a public calendar doesn't say which booking it is."""
    return _signature(f"public {token}", key)


def _signature(said: str, key: str) -> str:
    made = hmac.digest(key.encode(), f"feed {said}".encode(), sha256)
    return urlsafe_b64encode(made[:SIGNED]).decode()


def window(at: datetime) -> tuple[datetime, datetime]:
    """From when to when a calendar tells; its bounds move once a day, so that nothing changes in between."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - BEHIND, midnight + AHEAD


def plain(text: str) -> str:
    """A text whose lines end in one way, without what would end one for some readers, nor any other control."""
    lines = _ENDS.sub("\n", text).replace("\t", " ")
    return "".join(sign for sign in lines if sign == "\n" or not _unreadable(sign))


def _unreadable(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cs"} or sign == "\ufeff"


def on_one_line(text: str) -> str:
    """The same on one line: a title, a place, a name."""
    return plain(text).replace("\n", " ").strip()
