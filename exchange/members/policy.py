"""Rules about people, without any I/O."""

from __future__ import annotations

import re
import unicodedata

from exchange.errors import ContactMissing, WeakPassword

SHORTEST = 10  # characters; length protects better than odd signs (NIST SP 800-63B, 5.1.1.2)
LONGEST = 200  # hashing is slow on purpose: nobody makes us hash a book
FIRST_GUESSES = (
    "motdepasse", "password", "azerty", "qwerty", "marronnier", "marron", "bonjour", "soleil", "jetaime", "doudou",
)  # fmt: skip
RUNS = (
    "01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "azertyuiopqsdfghjklm", "qwertyuiop",
)  # fmt: skip


def check_password(password: str, *, user_name: str) -> None:
    """Raise WeakPassword (facts: why) for a password too short, too long, guessed first, or made of the user name."""
    if len(password) < SHORTEST:
        raise WeakPassword(why="short")
    if len(password) > LONGEST:
        raise WeakPassword(why="long")
    plain = _letters(password)
    if len(set(password)) < 4 or any(password.lower() in run for run in RUNS) or _padded(plain, FIRST_GUESSES):
        raise WeakPassword(why="common")
    if _padded(plain, (_letters(user_name),)):
        raise WeakPassword(why="name")


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", plain)


def _padded(plain: str, words: tuple[str, ...]) -> bool:
    """Whether it is one of these words, perhaps said twice, with figures around it: "marron2026"."""
    bare = plain.strip("0123456789")
    return any(bare in (word, word * 2) or plain in (word, word * 2) for word in words if word)


def check_contact(*, email: str, phone: str) -> None:
    """Raise ContactMissing when nobody could answer."""
    if not email and not phone:
        raise ContactMissing


def shown_fields(shown: list[str], **fields: str) -> dict[str, str]:
    """What the others see of a profile: the fields that are chosen and filled in."""
    return {name: value for name, value in fields.items() if name in shown and value}
