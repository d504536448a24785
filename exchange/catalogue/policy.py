"""Rules of what is lent, without any I/O."""

from __future__ import annotations

from exchange.errors import CapacityAboveLimit, CapacityMissing, QuantityMissing
from ledger.errors import Refused


def refusal(kind: str, *, capacity: int | None, legal_max: int | None, quantity: int | None = None) -> Refused | None:
    """Why a resource can't be kept with these figures; None when it can. ``legal_max`` bounds the whole building."""
    if kind == "pool" and quantity is None:
        return QuantityMissing()
    if kind == "room" and capacity is not None and legal_max is not None and capacity > legal_max:
        return CapacityAboveLimit(capacity=capacity, limit=legal_max)
    return None


def refusal_to_publish(kind: str, *, capacity: int | None, legal_max: int | None) -> Refused | None:
    """Why a resource can't be published; a room is asked how many people it takes (None when it can be)."""
    if kind == "room" and capacity is None:
        return CapacityMissing()
    return refusal(kind, capacity=capacity, legal_max=legal_max, quantity=1)


def status(kind: str, *, capacity: int | None, published: bool, retired: bool) -> str:
    """Where a resource stands: retired, published, ready to publish, or incomplete (a room without its capacity)."""
    if retired:
        return "retired"
    if published:
        return "published"
    return "incomplete" if kind == "room" and capacity is None else "ready"


LEGAL_LIMITS: dict[str, tuple[int | None, int | None]] = {
    "": (None, None),
    "I": (1501, None),
    "II": (701, 1500),
    "III": (301, 700),
    "IV": (None, 300),
    "V": (None, None),
}
"""People in the whole building, by safety category: at least, at most (Code de la construction, R.143-19)."""
