"""How often somebody may try at the doors that ask for nothing: signing in, a forgotten password, asking to join.

Counted in one table, so that every worker of the web counts together, on a connection of its own: a refused request
rolls back what it wrote, but not that it tried. Names and addresses are kept only as digests, until their time is over.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import secrets
from contextlib import suppress
from datetime import timedelta

from flask import current_app, request
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from exchange import clock
from exchange.db import db
from exchange.errors import TooOften

logger = logging.getLogger(__name__)

# Guessing one password: few tries from one address, more in all, so that its owner, elsewhere, is hardly ever kept out
# and never for longer than the window. A social centre's computers share one address, hence the width of the last.
SIGN_IN_OF_NAME_FROM_ADDRESS = RateLimitItemPerMinute(10, 10)
SIGN_IN_OF_NAME = RateLimitItemPerMinute(40, 10)
SIGN_IN_FROM_ADDRESS = RateLimitItemPerMinute(100, 10)
LINK_FOR_NAME = RateLimitItemPerHour(5)
LINK_FROM_ADDRESS = RateLimitItemPerHour(30)
JOIN_FROM_ADDRESS = RateLimitItemPerHour(20)
LETTERS_OF_SIGN_IN = RateLimitItemPerHour(60)
SWEEP_ONE_IN = 100  # tries

_COUNT = text(
    """
    INSERT INTO rates AS kept (key, hits, expires_at) VALUES (:key, :amount, :ends)
    ON CONFLICT (key) DO UPDATE SET
        hits = CASE WHEN kept.expires_at <= :now THEN excluded.hits ELSE kept.hits + excluded.hits END,
        expires_at = CASE WHEN kept.expires_at <= :now THEN excluded.expires_at ELSE kept.expires_at END
    RETURNING hits
    """
)


class RatesTable(Storage):
    """Counters of ``limits`` in the table ``rates``."""

    STORAGE_SCHEME = ["rates"]

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a failing table raises."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count one try more, and return how many there are until ``expiry`` seconds after the first."""
        now = clock.now()
        with db.engine.begin() as own:
            values = {"key": key, "amount": amount, "now": now, "ends": now + timedelta(seconds=expiry)}
            hits: int = own.execute(_COUNT, values).scalar_one()
            if secrets.randbelow(SWEEP_ONE_IN) == 0:
                sweep(own)
        return hits

    def get(self, key: str) -> int:
        """How many tries there are now."""
        return int(self._kept("hits", key) or 0)

    def get_expiry(self, key: str) -> float:
        """When the count starts again, in seconds since 1970."""
        ends = self._kept("extract(epoch FROM expires_at)", key)
        return float(ends) if ends is not None else clock.now().timestamp()

    def _kept(self, what: str, key: str) -> float | None:
        with db.engine.begin() as own:
            found: float | None = own.execute(
                text(f"SELECT {what} FROM rates WHERE key = :key AND expires_at > :now"),  # noqa: S608 - ours, above
                {"key": key, "now": clock.now()},
            ).scalar()
        return found

    def check(self) -> bool:
        """Whether the table answers."""
        try:
            self.get("")
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int | None:
        """Forget every count."""
        with db.engine.begin() as own:
            return own.execute(text("DELETE FROM rates")).rowcount

    def clear(self, key: str) -> None:
        """Forget one count."""
        with db.engine.begin() as own:
            own.execute(text("DELETE FROM rates WHERE key = :key"), {"key": key})


_counters = FixedWindowRateLimiter(RatesTable())


def sweep(own: Connection) -> None:
    """Forget the counts whose time is over; a row that another try is counting is left for the next sweep."""
    own.execute(
        text(
            "DELETE FROM rates WHERE key IN"
            " (SELECT key FROM rates WHERE expires_at <= :now LIMIT 1000 FOR UPDATE SKIP LOCKED)"
        ),
        {"now": clock.now()},
    )


def address() -> str:
    """Where the request comes from; a whole home of IPv6 (/64) counts as one address."""
    given = request.remote_addr or ""
    try:
        known = ipaddress.ip_address(given)
    except ValueError:
        return given
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else given


def _named(who: tuple[str, ...]) -> str:
    """What a count is kept under: nobody's name or address can be read in the table."""
    return hashlib.sha256("\n".join(who).encode("utf-8", "replace")).hexdigest()


def at_most(limit: RateLimitItem, act: str, *who: str) -> None:
    """Count one try of ``act`` by or on ``who``.

    Raises TooOften (facts: minutes to wait at most). A table that doesn't answer counts nothing and refuses nobody.
    """
    if not current_app.config.get("RATELIMIT_ENABLED", True):
        return
    try:
        allowed = _counters.hit(limit, act, _named(who))
    except SQLAlchemyError:
        logger.exception("a try of %s was not counted", act)
        return
    if not allowed:
        raise TooOften(minutes=max(1, limit.get_expiry() // 60))


def forget(limit: RateLimitItem, act: str, *who: str) -> None:
    """Begin a count anew. A table that doesn't answer has nothing to forget."""
    with suppress(SQLAlchemyError):
        _counters.clear(limit, act, _named(who))


def signing_in(user_name: str) -> None:
    """Count a try at a password. Raises TooOften, the narrowest limit first: a refused try uses up no wider one."""
    name = user_name.strip().lower()
    at_most(SIGN_IN_OF_NAME_FROM_ADDRESS, "sign-in-here", name, address())
    at_most(SIGN_IN_FROM_ADDRESS, "sign-in-address", address())
    at_most(SIGN_IN_OF_NAME, "sign-in-name", name)


def signed_in(user_name: str) -> None:
    """Forget the tries of who knew the password: coming back often is no guessing."""
    name = user_name.strip().lower()
    forget(SIGN_IN_OF_NAME_FROM_ADDRESS, "sign-in-here", name, address())
    forget(SIGN_IN_OF_NAME, "sign-in-name", name)


def asking_for_a_link(name: str) -> None:
    """Count a forgotten password. Raises TooOften."""
    at_most(LINK_FROM_ADDRESS, "link-address", address())
    at_most(LINK_FOR_NAME, "link-name", name.strip().lower())


def asking_to_join() -> None:
    """Count an application. Raises TooOften."""
    at_most(JOIN_FROM_ADDRESS, "join", address())


def writing_to_somebody(sign_in: int) -> None:
    """Count a message of the relay. Raises TooOften."""
    at_most(LETTERS_OF_SIGN_IN, "message", str(sign_in))
