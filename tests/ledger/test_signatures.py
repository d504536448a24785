"""Heads are written, signed and read as others do, and nothing else passes for one."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64decode, b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from ledger.signatures import (
    COSIGNATURE,
    ED25519,
    MOST,
    MOST_BYTES,
    MOST_SIGNATURES,
    Checked,
    Checkpoint,
    KeyRefused,
    Malformed,
    Note,
    NotSigned,
    Signed,
    SigningKey,
    VerifierKey,
    signed,
    verify,
)

# What others published: the example of C2SP signed-note, those of Go's sumdb/note, and a head of a public log with the
# lines of its key, of a key of another kind and of four witnesses.
EXAMPLE = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
EXAMPLE_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
PETER = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
ENOCH = VerifierKey.parse("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
PROBLEM = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
BY_PETER = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
ARCHE = VerifierKey.parse(
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
REMORA = VerifierKey.parse("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2")
HEAD = """arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev \
zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev \
ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— remora.n621.de \
2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu \
Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""
SEEN_AT = 1_779_573_024  # seconds, in the line of remora

BOOKS = SigningKey.generate("marronnier.example/sel")
CLERK = SigningKey.generate("clerk.example")
TEXT = Checkpoint("marronnier.example/sel", 8, bytes(32)).text()
OURS = signed(TEXT, BOOKS.sign(TEXT))


def reason_of(note: bytes | str) -> str:
    with pytest.raises(Malformed) as refused:
        Note.parse(note)
    return refused.value.reason


# What others signed


@pytest.mark.parametrize(("note", "key"), [(EXAMPLE_NOTE, EXAMPLE), (signed(PROBLEM, BY_PETER), PETER)])
def test_the_examples_that_others_publish_are_signed(note: str, key: VerifierKey) -> None:
    text = note.partition("\n\n")[0] + "\n"
    assert verify(note, [key]) == verify(note.encode(), [key]) == Checked(text, (Signed(key, None),))


def test_both_who_signed_a_published_note_are_told_in_the_order_of_their_lines() -> None:
    both = verify(signed(PROBLEM, BY_PETER, BY_ENOCH), [ENOCH, PETER])
    assert both == Checked(PROBLEM, (Signed(PETER, None), Signed(ENOCH, None)))


def test_a_published_head_is_signed_by_its_log_and_by_a_witness() -> None:
    text, by = verify(HEAD, [REMORA, ARCHE, PETER])
    assert by == (Signed(ARCHE, None), Signed(REMORA, SEEN_AT))
    head = Checkpoint.parse(text)
    assert (head.origin, head.size) == (ARCHE.name, 1432088532)
    assert head.text() == text


@pytest.mark.parametrize("key", [ARCHE, REMORA])
def test_a_published_head_of_another_size_is_not_signed(key: VerifierKey) -> None:
    with pytest.raises(NotSigned, match="wrong") as refused:
        verify(HEAD.replace("1432088532", "1432088533"), [key])
    assert refused.value.key == key


def test_the_line_of_a_witness_says_when() -> None:
    line = (
        "— witness.example.com/w1 "
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    (signature,) = Note.parse(signed(TEXT, line)).signatures
    assert (signature.name, signature.key_id.hex()) == ("witness.example.com/w1", "8d66cf3f")
    assert int.from_bytes(signature.value[:8]) == 1679315147  # the instant in the example of C2SP tlog-cosignature


@pytest.mark.parametrize("key", [EXAMPLE, PETER, ENOCH, ARCHE, REMORA])
def test_keys_that_others_publish_are_read_and_written_as_they_are(key: VerifierKey) -> None:
    assert VerifierKey.parse(str(key)) == key


# Who signed


def test_what_the_books_sign_their_key_checks() -> None:
    assert verify(OURS, [BOOKS.public]) == Checked(TEXT, (Signed(BOOKS.public, None),))


def test_a_witness_says_when_it_saw_the_head() -> None:
    note = signed(TEXT, BOOKS.sign(TEXT), CLERK.cosign(TEXT, 1_800_000_000))
    both = (Signed(BOOKS.public, None), Signed(CLERK.witness, 1_800_000_000))
    assert verify(note, [CLERK.witness, BOOKS.public]).signed == both
    assert verify(note, [CLERK.witness]).signed == both[1:]
    blob = Note.parse(note).signatures[1].value
    with pytest.raises(NotSigned, match="wrong"):  # an earlier instant is not what it signed
        verify(signed(TEXT, line(CLERK.witness, bytes([0, *blob[1:7], 9]) + blob[8:])), [CLERK.witness])


def line(key: VerifierKey, value: bytes) -> str:
    return f"— {key.name} {b64encode(key.key_id + value).decode()}\n"


def test_lines_of_other_keys_are_passed_over() -> None:
    namesake = SigningKey.generate(BOOKS.name)
    same_id = f"— {CLERK.name} {b64encode(BOOKS.public.key_id + bytes(64)).decode()}\n"
    note = signed(TEXT, namesake.sign(TEXT), same_id, BOOKS.sign(TEXT))
    assert verify(note, [BOOKS.public]).signed == (Signed(BOOKS.public, None),)


def test_a_note_that_no_known_key_signed_is_not_believed() -> None:
    for keys in ([], [CLERK.public], [BOOKS.witness]):
        with pytest.raises(NotSigned, match="unknown"):
            verify(OURS, keys)


def test_one_false_line_under_a_known_name_condemns_the_note() -> None:
    for lines in ([line(CLERK.public, bytes(64)), BOOKS.sign(TEXT)], [BOOKS.sign(TEXT), BOOKS.sign("Another\n")]):
        with pytest.raises(NotSigned, match="wrong"):
            verify(signed(TEXT, *lines), [BOOKS.public, CLERK.public])


def test_a_line_written_twice_is_one_witness() -> None:
    note = signed(TEXT, CLERK.cosign(TEXT, 5), CLERK.cosign(TEXT, 5), CLERK.cosign(TEXT, 7))
    assert verify(note, [CLERK.witness, CLERK.witness]).signed == (Signed(CLERK.witness, 5),)


def test_a_signature_of_one_kind_is_none_of_the_other() -> None:
    plain, seen = Note.parse(OURS).signatures[0].value, Note.parse(signed(TEXT, BOOKS.cosign(TEXT, 0))).signatures[0]
    for false in (
        line(BOOKS.witness, plain),
        line(BOOKS.witness, bytes(8) + plain),
        line(BOOKS.public, seen.value[8:]),
    ):
        with pytest.raises(NotSigned, match="wrong"):
            verify(signed(TEXT, false), [BOOKS.public, BOOKS.witness])


def test_two_keys_whose_name_and_id_collide_are_both_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = SigningKey.generate(BOOKS.name)
    monkeypatch.setattr(VerifierKey, "key_id", property(lambda key: b"same"))
    assert verify(signed(TEXT, twin.sign(TEXT)), [BOOKS.public, twin.public]).signed == (Signed(twin.public, None),)


@given(st.data())
def test_one_other_byte_anywhere_is_refused(data: st.DataObject) -> None:
    note = bytearray(signed(TEXT, BOOKS.sign(TEXT), BOOKS.cosign(TEXT, 1_800_000_000)).encode())
    at = data.draw(st.integers(0, len(note) - 1))
    note[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != note[at]))
    try:
        checked = verify(bytes(note), [BOOKS.public, BOOKS.witness])
    except (Malformed, NotSigned):
        return
    assert checked.text == TEXT  # the name or the id of one line changed, and the other line still holds
    assert len(checked.signed) == 1


# What is signed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "newline"),
        ("No end", "newline"),
        ("A\ttab\n", "control"),
        ("Half a pair \ud83d\n", "utf-8"),
        ("x" * MOST_BYTES + "\n", "too-long"),
        ("cosignature/v1\ntime 5\n" + TEXT, "cosignature"),
    ],
)
def test_the_books_sign_nothing_that_isnt_a_text(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        BOOKS.sign(text)


def test_a_witness_signs_nothing_but_heads() -> None:
    with pytest.raises(Malformed, match=r"^size$"):
        CLERK.cosign("An example message.\n", 5)
    for never in (-1, MOST + 1):
        with pytest.raises(Malformed, match=r"^timestamp$"):
            CLERK.cosign(TEXT, never)
    assert verify(signed(TEXT, CLERK.cosign(TEXT, MOST)), [CLERK.witness]).signed[0].timestamp == MOST


def test_no_instant_is_later_than_the_last() -> None:
    message = f"cosignature/v1\ntime {MOST + 1}\n{TEXT}".encode()
    value = (MOST + 1).to_bytes(8) + CLERK._private.sign(message)
    with pytest.raises(NotSigned, match="wrong"):
        verify(signed(TEXT, line(CLERK.witness, value)), [CLERK.witness])


# Notes


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (b"", "newline"),
        (b"\n", "unsigned"),
        (PROBLEM, "unsigned"),
        (PROBLEM + "\n", "unsigned"),
        (signed(PROBLEM, BY_PETER)[:-1], "newline"),
        (signed(PROBLEM, BY_PETER) + "\n", "unsigned"),
        ("\x01" + signed(PROBLEM, BY_PETER), "control"),
        (signed(PROBLEM, BY_PETER).replace("\n", "\r\n"), "control"),
        (b"\xff" + signed(PROBLEM, BY_PETER).encode(), "utf-8"),
        ("\udcff" + signed(PROBLEM, BY_PETER), "utf-8"),
        (signed(PROBLEM, BY_PETER, "Unexpected line.\n"), "signature"),
        (signed(PROBLEM, BY_PETER.replace("— ", "- ")), "signature"),
        (signed(PROBLEM, BY_PETER.replace("— ", "—  ")), "signature"),
        (signed(PROBLEM, BY_PETER.replace("— ", "—")), "signature"),
        (signed(PROBLEM, BY_PETER.replace("PeterNeumann", "Peter Neumann")), "signature"),
        (signed(PROBLEM, BY_PETER.replace("PeterNeumann", "Peter\u00a0Neumann")), "name"),
        (signed(PROBLEM, BY_PETER.replace("PeterNeumann", "Peter\u2028Neumann")), "name"),
        (signed(PROBLEM, BY_PETER.replace("PeterNeumann", "Peter+Neumann")), "name"),
        (signed(PROBLEM, BY_PETER[:-2] + "\n"), "base64"),
        (signed(PROBLEM, BY_PETER[:-1] + "=\n"), "base64"),
        (signed(PROBLEM, BY_PETER.replace("nAM=", "nAN=")), "base64"),  # decodes the same, and is another spelling
        (signed(PROBLEM, BY_PETER.replace("x08g", "x08_")), "base64"),
        (signed(PROBLEM, BY_PETER.replace("x08g", "x08é")), "base64"),
        (signed(PROBLEM, "— PeterNeumann x08gow==\n"), "signature"),
        (signed(PROBLEM, BY_PETER * (MOST_SIGNATURES + 1)), "too-many"),
        ("x" * MOST_BYTES + "\n", "too-long"),
        (b"\xe2\x82\xac" * MOST_BYTES, "too-long"),
    ],
)
def test_what_is_no_note_is_refused_by_name(note: bytes | str, reason: str) -> None:
    assert reason_of(note) == reason


def test_a_text_may_have_empty_lines_and_a_note_many_signatures() -> None:
    text, signatures = Note.parse(signed("Soleil\n\nSoir\n\n", *[BY_PETER] * MOST_SIGNATURES))
    assert text == "Soleil\n\nSoir\n\n"
    assert len(signatures) == MOST_SIGNATURES


words = st.text(min_size=1, max_size=20)
pieces = st.one_of(
    words, st.sampled_from(["\n", "\n\n", "— ", " ", "=", "+", TEXT, BY_PETER, *OURS.split("\n"), str(PETER)])
)
garbage = st.one_of(st.binary(max_size=300), st.lists(pieces, max_size=9).map("".join))


@given(garbage)
def test_garbage_is_refused_by_name_and_never_by_chance(note: bytes | str) -> None:
    try:
        verify(note, [PETER, BOOKS.public])
    except (Malformed, NotSigned):
        return
    said = note if isinstance(note, str) else note.decode()
    assert PROBLEM + "\n" in said or TEXT + "\n" in said


@given(garbage)
def test_a_note_that_is_read_is_written_again_as_it_was(note: bytes | str) -> None:
    try:
        text, signatures = Note.parse(note)
    except Malformed:
        return
    lines = [f"— {name} {b64encode(key_id + value).decode()}\n" for name, key_id, value in signatures]
    assert signed(text, *lines) == (note if isinstance(note, str) else note.decode())


@given(st.lists(pieces, max_size=9).map("".join))
def test_garbage_is_neither_a_key_nor_a_head(text: str) -> None:
    for read, write in ((VerifierKey.parse, str), (Checkpoint.parse, Checkpoint.text)):
        try:
            assert write(read(text)) == text
        except Malformed:
            continue


# Heads


@given(words, st.integers(0, MOST), st.binary(min_size=32, max_size=32), st.lists(words, max_size=3))
def test_a_head_is_read_as_it_was_written(origin: str, size: int, root: bytes, more: list[str]) -> None:
    try:
        head = Checkpoint(origin, size, root, tuple(more))
    except Malformed:
        assert any(char < " " for char in origin + "".join(more))
        return
    assert Checkpoint.parse(head.text()) == head


ROOT = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "newline"),
        ("\n", "size"),
        ("sel\n", "size"),
        ("sel\n8\n", "root"),
        (f"\n8\n{ROOT}\n", "origin"),
        (f"sel\n8\n{ROOT}", "newline"),
        (f"sel\n\n{ROOT}\n", "size"),
        (f"sel\n08\n{ROOT}\n", "size"),
        (f"sel\n+8\n{ROOT}\n", "size"),
        (f"sel\n-8\n{ROOT}\n", "size"),
        (f"sel\n 8\n{ROOT}\n", "size"),
        (f"sel\n٨\n{ROOT}\n", "size"),
        (f"sel\n{MOST + 1}\n{ROOT}\n", "size"),
        (f"sel\n{'9' * 5000}\n{ROOT}\n", "size"),
        (f"sel\n8\n{ROOT[:-1]}\n", "base64"),
        (f"sel\n8\n{b64encode(bytes(31)).decode()}\n", "root"),
        (f"sel\n8\n{ROOT} \n", "base64"),
        (f"sel\n8\n{ROOT}\n\n", "extension"),
        (f"sel\r\n8\n{ROOT}\n", "control"),
        (f"sel\udcff\n8\n{ROOT}\n", "utf-8"),
    ],
)
def test_what_is_no_head_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"origin": ""}, "origin"),
        ({"origin": "a\nb"}, "origin"),
        ({"origin": "a\ud83d"}, "origin"),
        ({"size": -1}, "size"),
        ({"size": MOST + 1}, "size"),
        ({"root": bytes(31)}, "root"),
        ({"extensions": ("",)}, "extension"),
        ({"extensions": ("a\nb",)}, "extension"),
    ],
)
def test_no_head_is_made_that_could_not_be_read(change: dict[str, object], reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        replace(Checkpoint("sel", 8, bytes(32)), **change)


# Keys


def test_the_id_of_a_key_covers_its_name_and_its_kind() -> None:
    public = BOOKS.public.public
    keys = [VerifierKey(name, kind, public) for name in ("a", "b") for kind in (ED25519, COSIGNATURE)]
    assert len({key.key_id for key in keys}) == 4
    assert (BOOKS.public.kind, BOOKS.witness.kind) == (ED25519, COSIGNATURE)


def test_no_piece_of_a_key_and_no_key_with_another_letter_is_one() -> None:
    text = str(PETER)
    pieces = {text[start:end] for start in range(len(text)) for end in range(start, len(text) + 1)} - {text}
    others = {text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :] for at in range(len(text))}
    for wrong in pieces | others:
        with pytest.raises(Malformed):
            VerifierKey.parse(wrong)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "base64"),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "algorithm"),
        ("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "key-id"),
        ("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "key-id"),
        ("Peter\ud83d+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "name"),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "name"),
        ("PeterNeumann+c74f20a3+AQ==", "key"),
        ("PeterNeumann+c74f20a3+", "key"),
    ],
)
def test_what_is_no_key_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=f"^{reason}$"):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\x01b", "a\u2003b", "a\ud83d"])
def test_a_key_has_a_name_without_spaces_or_plus(name: str, tmp_path: Path) -> None:
    BOOKS.save(tmp_path / "key")
    for make in (SigningKey.generate, lambda name: SigningKey.load(tmp_path / "key", name)):
        with pytest.raises(Malformed, match=r"^name$"):
            make(name)


# The file of the key


def test_a_key_is_kept_in_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    BOOKS.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    again = SigningKey.load(path, BOOKS.name)
    assert again.public == BOOKS.public
    assert again.sign(TEXT) == BOOKS.sign(TEXT)


def test_a_key_never_takes_the_place_of_another(tmp_path: Path) -> None:
    path, link = tmp_path / "key", tmp_path / "link"
    BOOKS.save(path)
    link.symlink_to(tmp_path / "nowhere")
    for taken in (path, link):
        with pytest.raises(KeyRefused, match=r"^\('exists', ") as refused:
            CLERK.save(taken)
        assert refused.value.path == taken
    assert SigningKey.load(path, BOOKS.name).public == BOOKS.public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644])
def test_a_key_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    BOOKS.save(path)
    path.chmod(mode)
    with pytest.raises(KeyRefused, match=r"^\('exposed', "):
        SigningKey.load(path, BOOKS.name)
    path.chmod(0o400)
    SigningKey.load(path, BOOKS.name)


OTHER_KEY = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
LOCKED = BOOKS._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


@pytest.mark.parametrize("content", [b"", b"\0" * 32, b"-----BEGIN PRIVATE KEY-----\n", OTHER_KEY, LOCKED])
def test_a_file_without_an_ed25519_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyRefused, match=r"^\('malformed', "):
        SigningKey.load(path, BOOKS.name)


def test_a_key_that_isnt_there_is_an_error_of_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SigningKey.load(tmp_path / "key", BOOKS.name)


def test_the_signatures_of_a_published_secret_key_are_those_published(tmp_path: Path) -> None:
    seed = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    der = bytes.fromhex("302e020100300506032b657004220420") + seed  # RFC 8410, section 7
    path = tmp_path / "key"
    path.write_text(f"-----BEGIN PRIVATE KEY-----\n{b64encode(der).decode()}\n-----END PRIVATE KEY-----\n")
    path.chmod(0o600)
    peter = SigningKey.load(path, "PeterNeumann")
    assert peter.public == PETER
    assert peter.sign(PROBLEM) == BY_PETER


# Without the library

ROOT_FOLDER = Path(__file__).resolve().parents[2]
WITHOUT = f"""
import sys
sys.modules["cryptography"] = None
from ledger.signatures import *
from ledger.signatures import CAN_CHECK
assert not CAN_CHECK
assert len(Note.parse({OURS!r}).signatures) == 1
assert Checkpoint.parse({TEXT!r}).size == 8
assert str(VerifierKey.parse({str(PETER)!r})) == {str(PETER)!r}
from pathlib import Path
for cannot in (
    lambda: verify({OURS!r}, [VerifierKey.parse({str(BOOKS.public)!r})]),
    lambda: SigningKey.generate("a"),
    lambda: SigningKey.load(Path("nowhere"), "a"),
):
    try:
        cannot()
    except CannotCheck:
        print("cannot")
"""


def test_without_the_library_all_is_read_and_nothing_passes_for_checked() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, cwd=ROOT_FOLDER)
    assert ran.stdout.split() == ["cannot"] * 3
