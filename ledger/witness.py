"""A witness: a second town that signs the heads of the first, once it has seen that they only ever grow.

The protocol is C2SP ``tlog-witness``: one request, ``POST /add-checkpoint``. The witness keeps, in one file, the
largest head that it signed; a head that does not come from that one is not signed, whoever asks.
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from ledger import seals, signatures
from ledger.signatures import Checkpoint, SigningKey, VerifierKey

MOST_BYTES = 64_000  # of a request
MOST_PROOF = 63  # hashes, as the protocol says
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII).fullmatch
_LENGTH = re.compile(r"[0-9]{1,9}", re.ASCII).fullmatch


class Answer(NamedTuple):
    """What a request is answered: a status of HTTP, a body, and its type."""

    status: HTTPStatus
    body: str
    kind: str = "text/plain; charset=utf-8"


class NotKept(ValueError):
    """The file of the heads that were signed can't be read: nothing can be signed."""


class Witness:
    """Signs the heads of the logs whose keys it was given. ``kept`` is the file of the largest head of each."""

    def __init__(self, key: SigningKey, logs: Sequence[VerifierKey], kept: Path, now: Callable[[], float]) -> None:
        self._key = key
        self._logs = logs
        self._kept = kept
        self._now = now
        self._turn = Lock()

    def check(self) -> None:
        """See that what was signed can be read, and kept. Raises NotKept; OSError."""
        self._write(self._read())

    def add_checkpoint(self, body: bytes) -> Answer:
        """Sign a head, if it grew from the last one signed; the body is that of ``tlog-witness``.

        404 for a log that isn't known, 403 when its signature is wrong, 409 with the size that is kept when the old
        one is another, 422 when the proof doesn't hold, 400 for what can't be read. Raises NotKept; OSError.
        """
        try:
            old, proof, note = _understood(body)
            head = Checkpoint.parse(signatures.Note.parse(note).text)
        except ValueError:
            return Answer(HTTPStatus.BAD_REQUEST, "malformed\n")
        keys = [key for key in self._logs if key.name == head.origin]
        if not keys:
            return Answer(HTTPStatus.NOT_FOUND, "unknown log\n")
        try:
            signatures.verify(note, keys)
        except signatures.NotSigned:
            return Answer(HTTPStatus.FORBIDDEN, "not signed by its log\n")
        if old > head.size:
            return Answer(HTTPStatus.BAD_REQUEST, "older than what it comes from\n")
        with self._turn:
            return self._sign(old, proof, head)

    def _sign(self, old: int, proof: Sequence[bytes], head: Checkpoint) -> Answer:
        heads = self._read()
        size, root = heads.get(head.origin, (0, seals.EMPTY))
        if old != size or (head.size == size and head.root != root):
            return Answer(HTTPStatus.CONFLICT, f"{size}\n", "text/x.tlog.size")
        if not seals.check_consistency(size, root, head.size, head.root, proof):
            return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "not consistent\n")
        heads[head.origin] = (head.size, head.root)
        self._write(heads)  # before the signature leaves: what was signed is never forgotten
        return Answer(HTTPStatus.OK, self._key.cosign(head.text(), int(self._now())))

    def _read(self) -> dict[str, tuple[int, bytes]]:
        if not self._kept.exists():
            return {}
        try:
            told = json.loads(self._kept.read_text(encoding="utf-8"))
            return {origin: (int(size), bytes.fromhex(root)) for origin, (size, root) in told.items()}
        except (ValueError, TypeError, AttributeError, RecursionError) as unreadable:
            raise NotKept(str(self._kept)) from unreadable

    def _write(self, heads: dict[str, tuple[int, bytes]]) -> None:
        beside = self._kept.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump({origin: [size, root.hex()] for origin, (size, root) in heads.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._kept)


def asked(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The request that asks a witness for its signature under ``note``, whose tree grew from that of ``old`` leaves."""
    hashes = "".join(f"{b64encode(each).decode()}\n" for each in proof)
    return f"old {old}\n{hashes}\n{note}".encode()


def _understood(body: bytes) -> tuple[int, list[bytes], str]:
    """The size, the proof and the note of a request. Raises ValueError."""
    before, blank, note = body.decode().partition("\n\n")
    first, *hashes = before.split("\n")
    word, _, size = first.partition(" ")
    if word != "old" or not blank or not _SIZE(size) or len(hashes) > MOST_PROOF:
        raise ValueError("not a request to a witness")
    return int(size), [b64decode(each, validate=True) for each in hashes], note


def serve(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server that answers for a witness; the caller runs it, behind a proxy that speaks TLS."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            if self.path != "/add-checkpoint":
                return self._answer(Answer(HTTPStatus.NOT_FOUND, "only /add-checkpoint is answered\n"))
            length = self.headers.get("Content-Length", "")
            if not _LENGTH(length) or int(length) > MOST_BYTES:
                return self._answer(Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large\n"))
            body = self.rfile.read(int(length))
            try:
                return self._answer(witness.add_checkpoint(body))
            except (OSError, NotKept) as lost:
                self.log_error("nothing is signed: %s", lost)
                return self._answer(Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "this witness has lost what it signed\n"))

        def _answer(self, answer: Answer) -> None:
            body = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return ThreadingHTTPServer((host, port), Handler)
