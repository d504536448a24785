"""Sealing as the worker and the commands do it: with the key in its file, each step in a transaction of its own."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from flask import current_app
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from exchange.db import transaction
from exchange.seals import operations
from ledger import exports, signatures, witness
from ledger.signatures import COSIGNATURE, KeyRefused, SigningKey, VerifierKey
from ledger.store import sealing
from ledger.store.sealing import Head

logger = logging.getLogger(__name__)

PATIENCE = 10  # seconds that a witness has to answer
MOST_ANSWERED = 10_000  # bytes


class KeyMissing(RuntimeError):
    """The books name a key, and its file isn't here: nothing is sealed until it is back, or another takes over."""


def signing_key() -> SigningKey:
    """The key in its file; made the first time, when the books name none. Raises KeyMissing or KeyRefused."""
    path = Path(current_app.config["SEAL_KEY"])
    with transaction() as session:
        known = sealing.keys(session)
    name = known[-1].name if known else f"{current_app.config['SERVER_NAME']}/livre"
    try:
        key = SigningKey.load(path, name)
    except FileNotFoundError:
        if known:
            raise KeyMissing(str(path)) from None
        key = _made(path, name)
    if known and key.public != known[-1]:
        raise KeyMissing(str(path))
    return key


def _made(path: Path, name: str) -> SigningKey:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = SigningKey.generate(name)
    try:
        key.save(path)
    except KeyRefused:  # another process made it at the same moment
        return SigningKey.load(path, name)
    return key


def rotate(*, at: datetime) -> VerifierKey:
    """Put a new key in the place of the one in use, which is kept beside it; the change itself is sealed."""
    path = Path(current_app.config["SEAL_KEY"])
    with transaction() as session:
        known = sealing.keys(session)
    name = known[-1].name if known else f"{current_app.config['SERVER_NAME']}/livre"
    if path.exists():
        path.rename(path.with_name(f"{path.name}.{at:%Y%m%d%H%M%S}"))
    key = _made(path, name)
    with transaction() as session:
        operations.seal(session, key, at=at)
    return key.public


def seal_now(*, at: datetime) -> Head | None:
    """Seal what waits; the new head, or None when nothing waited. Raises KeyMissing or KeyRefused."""
    key = signing_key()
    with transaction() as session:
        head, far = operations.seal(session, key, at=at), sealing.far(session)
    if far:
        _shorten(key, at=at)
    return head


def _shorten(key: SigningKey, *, at: datetime) -> None:
    """Make the next searches shorter, if writers leave a moment for it; else another time."""
    try:
        with transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '200ms'"))
            operations.seal(session, key, at=at, still=True)
    except DBAPIError as busy:
        if not isinstance(busy.orig, errors.LockNotAvailable | errors.DeadlockDetected):
            raise


def export(path: Path, *, at: datetime) -> Head | None:
    """Seal, then write the whole books to a new file, up to the signed head; None when they hold nothing yet.

    Raises FileExistsError rather than write over another export.
    """
    seal_now(at=at)
    with transaction() as session:
        head = sealing.last_head(session)
        if head is not None:
            head = sealing.witnessed(session, head)
            with path.open("xb") as out:
                exports.write(out, sealing.lines(session, head), head.note)
    return head


def ask_witness(*, at: datetime) -> bool:
    """Have the newest head countersigned by the witness that is configured; whether it was.

    What it answers is kept only if its key signed it. Its refusal is logged: it may mean that the books were rewritten.
    """
    address, told = current_app.config.get("WITNESS_ADDRESS"), current_app.config.get("WITNESS_KEY")
    if not (address and told):
        return False
    key = VerifierKey.parse(told)
    with transaction() as session:
        head = sealing.last_head(session)
        seen = sealing.last_cosigned(session, key)
    if head is None or (seen is not None and seen.size == head.size):
        return False
    with transaction() as session:
        old = seen.size if seen else 0
        body = witness.asked(old, sealing.consistency(session, old, head.size), head.note)
    try:
        line = _post(address, body)
        checked = signatures.verify(head.note + line, [key])
    except (OSError, ValueError) as refused:
        logger.warning("the witness %s did not sign the head of %s lines: %s", key.name, head.size, refused)
        return False
    assert checked.signed[0].key.kind == COSIGNATURE
    with transaction() as session:
        sealing.keep_cosignature(session, head, key, line, at=at)
    return True


def _post(address: str, body: bytes) -> str:
    """What the witness answers. Raises OSError (of which URLError is one), or ValueError for what can't be read."""
    asked = Request(f"{address.rstrip('/')}/add-checkpoint", data=body, method="POST")  # noqa: S310 - told by the operator
    try:
        with urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
            return str(answer.read(MOST_ANSWERED).decode())
    except URLError as error:
        raise OSError(str(error)) from error
