"""Signed heads: C2SP ``signed-note``, ``tlog-checkpoint`` and ``tlog-cosignature`` (cosignature/v1, Ed25519).

A head is the size and the root of the tree of ``ledger.seals`` under a name, signed by the key of the books and by
witnesses who saw it. The formats are read and written with the standard library; without ``cryptography`` only the
signatures themselves can't be made or checked, and CannotCheck says so.
"""

from __future__ import annotations

import os
import re
import stat
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )
except ImportError:  # whoever audits an export may have nothing but Python
    CAN_CHECK = False
else:
    CAN_CHECK = True

ED25519 = 0x01  # signs the text
COSIGNATURE = 0x04  # signs the text and the instant at which it was seen, in seconds since 1970
MOST_BYTES = 1_000_000  # of a note
MOST_SIGNATURES = 100  # of a note; the format asks that 16 at least be read
MOST = 2**63 - 1  # the largest size and the latest instant

_COSIGNED = "cosignature/v1\n"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_LINE = re.compile(r"[^\x00-\x1f\ud800-\udfff]+")
_SIGNATURE = re.compile(r"\u2014 ([^ ]+) ([^ ]+)")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


class Malformed(ValueError):
    """The text isn't in the format; ``reason`` is one of:

    of any text: too-long, utf-8, control, newline (the last is missing), base64; of a note: unsigned, too-many,
    signature, name; of a key: key, name, algorithm, key-id; of a checkpoint: origin, size, root, extension;
    of what would be signed: cosignature (it could be taken for one), timestamp.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSigned(ValueError):
    """The note is not to be believed; ``reason`` is "unknown" (no given key signed it) or "wrong" (``key`` did not)."""

    def __init__(self, reason: str, key: VerifierKey | None = None) -> None:
        super().__init__(reason, key)
        self.reason = reason
        self.key = key


class KeyRefused(ValueError):
    """The file can't hold the key; ``reason`` is "exists" already, "exposed" to other users, or "malformed"."""

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__(reason, str(path))
        self.reason = reason
        self.path = path


class CannotCheck(RuntimeError):
    """Signatures can't be made nor checked here: ``cryptography`` is not installed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head: the ``size`` and the ``root`` of the tree of the log named ``origin`` (c2sp.org/tlog-checkpoint).

    Raises Malformed. Extension lines are kept as they are; ours have none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _LINE.fullmatch(self.origin):
            raise Malformed("origin")
        if not 0 <= self.size <= MOST:
            raise Malformed("size")
        if len(self.root) != sha256().digest_size:
            raise Malformed("root")
        if not all(map(_LINE.fullmatch, self.extensions)):
            raise Malformed("extension")

    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note. Raises Malformed for all that ``text`` would not have written."""
        lines = _text_of(text)[:-1].split("\n")
        origin, size, root, *extensions = lines + [""] * (3 - len(lines))
        if not _DECIMAL.fullmatch(size):
            raise Malformed("size")
        return cls(origin, int(size), _unbase64(root), tuple(extensions))


class Signature(NamedTuple):
    """One line under a note: the name and the id of the key that it claims, and what this key would have signed."""

    name: str
    key_id: bytes
    value: bytes


class Note(NamedTuple):
    """A text and the signatures under it, none of them checked."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, note: bytes | str) -> Note:
        """Read a note, whatever its signatures are worth (c2sp.org/signed-note). Raises Malformed."""
        written = _text_of(note)
        text, blank, lines = written.rpartition("\n\n")
        if not (blank and lines):
            raise Malformed("unsigned")
        if lines.count("\n") > MOST_SIGNATURES:
            raise Malformed("too-many")
        return cls(f"{text}\n", tuple(map(_signature, lines[:-1].split("\n"))))


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """What checks signatures: a name, the kind of signature (ED25519 or COSIGNATURE), a public key of 32 bytes.

    Raises Malformed. As text, "name+key id+base64", it is handed to whoever will check.
    """

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE):
            raise Malformed("algorithm")
        if len(self.public) != 32:
            raise Malformed("key")

    @property
    def key_id(self) -> bytes:
        """Four bytes that name the key on its signatures; too few to be proof of anything."""
        return sha256(b"%b\n%c%b" % (self.name.encode(), self.kind, self.public)).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read "name+key id+base64". Raises Malformed, also when the id isn't that of the key."""
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        key = _unbase64(encoded)
        if not key:
            raise Malformed("key")
        found = cls(name, key[0], key[1:])
        if found.key_id.hex() != key_id:
            raise Malformed("key-id")
        return found


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs under a name; kept in a file outside the database, which only the service's own user can read.

    Everything here raises CannotCheck without ``cryptography``.
    """

    name: str
    _private: Ed25519PrivateKey

    @classmethod
    def generate(cls, name: str) -> SigningKey:
        """A new key. Raises Malformed for a name that is empty or has a space or a plus."""
        _check_name(name)
        _need()
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path, name: str) -> SigningKey:
        """Read the key in a PEM file (PKCS #8, not encrypted).

        Raises KeyRefused (exposed) when anybody but its owner may read or write the file, or (malformed); OSError when
        it can't be read; Malformed for the name.
        """
        _check_name(name)
        _need()
        with path.open("rb") as file:
            # of the open file, not of the path: what is looked at is what is read
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeyRefused("exposed", path)
            pem = file.read(MOST_BYTES)
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # a TypeError asks for a password
            raise KeyRefused("malformed", path) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyRefused("malformed", path)
        return cls(name, private)

    def save(self, path: Path) -> None:
        """Write the key to a new PEM file (PKCS #8, not encrypted) for its owner alone, mode 0600.

        Raises KeyRefused (exists) rather than lose a key that signed; OSError when it can't be written.
        """
        pem = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise KeyRefused("exists", path) from error
        with open(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(descriptor)  # a key lost in a power cut could never sign again what it signed before

    @property
    def public(self) -> VerifierKey:
        """What checks the signatures of ``sign``."""
        return VerifierKey(self.name, ED25519, self._private.public_key().public_bytes_raw())

    @property
    def witness(self) -> VerifierKey:
        """What checks the signatures of ``cosign``."""
        return VerifierKey(self.name, COSIGNATURE, self.public.public)

    def sign(self, text: str) -> str:
        """The signature line of a text, to put under it with ``signed``.

        Raises Malformed: a text ends with a newline, has no control character, and can't be taken for a cosignature's.
        """
        if text.startswith(_COSIGNED):
            raise Malformed("cosignature")
        return _line(self.public, self._private.sign(_text_of(text).encode()))

    def cosign(self, text: str, timestamp: int) -> str:
        """The line by which a witness says: this is the largest head of this log that I saw, and it grew from the last.

        ``timestamp`` is when, in seconds since 1970. Raises Malformed for another text than a checkpoint's, or
        (timestamp). That it grew is for who calls to check, with ``seals.check_consistency``.
        """
        if not 0 <= timestamp <= MOST:
            raise Malformed("timestamp")
        value = self._private.sign(_cosigned(Checkpoint.parse(text).text(), timestamp))
        return _line(self.witness, timestamp.to_bytes(8) + value)


class Signed(NamedTuple):
    """A key that signed a note; ``timestamp`` is when a witness says it did, in seconds since 1970."""

    key: VerifierKey
    timestamp: int | None


class Checked(NamedTuple):
    """A text, and each of the given keys that signed it, once, in the order of the lines; one at least."""

    text: str
    signed: tuple[Signed, ...]


def signed(text: str, *lines: str) -> str:
    """The note: a text with signature lines under it."""
    return f"{text}\n{''.join(lines)}"


def verify(note: bytes | str, keys: Sequence[VerifierKey]) -> Checked:
    """The text of a note, if one of ``keys`` signed it; lines of other keys are passed over (c2sp.org/signed-note).

    Raises Malformed; NotSigned when no key signed, or when one line under the name and id of a key is not its own;
    CannotCheck without ``cryptography``.
    """
    text, signatures = Note.parse(note)
    _need()
    found: dict[VerifierKey, Signed] = {}
    for signature in signatures:
        claimed = [key for key in keys if (key.name, key.key_id) == (signature.name, signature.key_id)]
        if not claimed:
            continue
        made = [one for key in claimed if (one := _check(key, text, signature.value))]
        if not made:
            raise NotSigned("wrong", claimed[0])
        for one in made:
            found.setdefault(one.key, one)  # a line written twice doesn't make two witnesses
    if not found:
        raise NotSigned("unknown")
    return Checked(text, tuple(found.values()))


def _check(key: VerifierKey, text: str, value: bytes) -> Signed | None:
    """What the key signed, or None when it did not."""
    timestamp, message = None, text.encode()
    if key.kind == COSIGNATURE:
        timestamp, value = int.from_bytes(value[:8]), value[8:]
        if timestamp > MOST:
            return None
        message = _cosigned(text, timestamp)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, message)
    except InvalidSignature:
        return None
    return Signed(key, timestamp)


def _cosigned(text: str, timestamp: int) -> bytes:
    """What a witness signs: c2sp.org/tlog-cosignature."""
    return f"{_COSIGNED}time {timestamp}\n{text}".encode()


def _line(key: VerifierKey, value: bytes) -> str:
    return f"\u2014 {key.name} {b64encode(key.key_id + value).decode()}\n"


def _signature(line: str) -> Signature:
    written = _SIGNATURE.fullmatch(line)
    blob = _unbase64(written[2]) if written else b""
    if not written or len(blob) <= 4:
        raise Malformed("signature")
    _check_name(written[1])
    return Signature(written[1], blob[:4], blob[4:])


def _text_of(written: bytes | str) -> str:
    """A text as notes and checkpoints have it: UTF-8 of a sane length, in whole lines, without control characters."""
    try:
        encoded = written.encode() if isinstance(written, str) else written
        text = encoded.decode()
    except UnicodeError as error:
        raise Malformed("utf-8") from error
    if len(encoded) > MOST_BYTES:
        raise Malformed("too-long")
    if _CONTROL.search(text):
        raise Malformed("control")
    if not text.endswith("\n"):
        raise Malformed("newline")
    return text


def _check_name(name: str) -> None:
    if not _LINE.fullmatch(name) or "+" in name or any(map(str.isspace, name)):
        raise Malformed("name")


def _unbase64(text: str) -> bytes:
    """The bytes, of the one spelling that encoding them gives: else one signature could be written in several ways."""
    try:
        found = b64decode(text)
    except ValueError as error:
        raise Malformed("base64") from error
    if b64encode(found).decode() != text:
        raise Malformed("base64")
    return found


def _need() -> None:
    if not CAN_CHECK:
        raise CannotCheck
