"""A witness signs the head of a log that only ever grew, once for all; whoever shows it another book gets nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from itertools import pairwise
from pathlib import Path
from threading import Barrier, Thread
from urllib.parse import urlsplit

import pytest

from exchange.config import ROOT
from ledger import exports, seals, signatures, verify
from ledger.__main__ import main
from ledger.signatures import Checkpoint, SigningKey
from ledger.witness import MOST_PROOF, Answer, NotKept, Witness, asked, serve
from tests.databases import Postgres
from tests.ledger import exported
from tests.ledger.exported import KEY, NEXT, STRANGER, leaves_of, note_of

SEEN = 1_795_269_600  # when the witness looks at its clock, in seconds since 1970
TOWN = SigningKey.generate("temoin.example.org")
OTHER = SigningKey.generate("autre.example.org")  # another log, which the witness follows too
BOOK = [b"line %d\n" % number for number in range(40)]
FORGED = [b"another line\n", *BOOK[1:]]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "heads.json"


@pytest.fixture
def witness(kept: Path) -> Witness:
    return Witness(TOWN, [KEY.public, NEXT.public, OTHER.public], kept, lambda: SEEN + 0.9)


def proof(lines: Sequence[bytes], old: int, size: int) -> list[bytes]:
    leaves = leaves_of(lines[:size])

    def subtree(level: int, index: int) -> bytes:
        return seals.complete(leaves[index << level : (index + 1) << level])

    return seals.consistency(subtree, old, size)


def request(old: int, size: int, lines: Sequence[bytes] = BOOK, key: SigningKey = KEY) -> bytes:
    """What the log sends when it grew from ``old`` lines to ``size``."""
    return asked(old, proof(lines, old, size), note_of(lines[:size], key))


def cosigned(answer: Answer, lines: Sequence[bytes], key: SigningKey = KEY) -> None:
    """The answer is the witness's signature of the head of these lines."""
    assert (answer.status, answer.kind) == (HTTPStatus.OK, "text/plain; charset=utf-8")
    checked = signatures.verify(note_of(lines, key) + answer.body, [TOWN.witness])
    assert [(one.key, one.timestamp) for one in checked.signed] == [(TOWN.witness, SEEN)]


def test_a_request_is_written_as_the_protocol_says() -> None:
    first, second = bytes(32), bytes([1] * 32)
    assert asked(7, [first, second], "note\n") == (
        b"old 7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\nnote\n"
    )
    assert asked(0, [], "note\n") == b"old 0\n\nnote\n"


def test_the_first_head_is_signed_then_each_that_grew_from_the_last(witness: Witness) -> None:
    for old, size in pairwise([0, 1, 2, 7, 8, 8, 21, 40]):
        cosigned(witness.add_checkpoint(request(old, size)), BOOK[:size])


def test_the_same_head_is_signed_again(witness: Witness) -> None:
    for old in (0, 5, 5):
        cosigned(witness.add_checkpoint(request(old, 5)), BOOK[:5])


def test_an_empty_log_is_signed_too(witness: Witness) -> None:
    cosigned(witness.add_checkpoint(request(0, 0)), [])
    cosigned(witness.add_checkpoint(request(0, 3)), BOOK[:3])


def test_a_head_under_its_next_key_grows_from_that_under_the_first(witness: Witness) -> None:
    cosigned(witness.add_checkpoint(request(0, 5)), BOOK[:5])
    cosigned(witness.add_checkpoint(request(5, 9, key=NEXT)), BOOK[:9], NEXT)


def test_lines_that_a_head_adds_are_signed_with_it(witness: Witness) -> None:
    text = Checkpoint(KEY.name, 3, bytes(32), ("une ligne",)).text()
    note = signatures.signed(text, KEY.sign(text))
    answer = witness.add_checkpoint(asked(0, [], note))
    assert signatures.verify(note + answer.body, [TOWN.witness]).text == text


def test_each_log_has_its_own_head(witness: Witness) -> None:
    cosigned(witness.add_checkpoint(request(0, 5)), BOOK[:5])
    cosigned(witness.add_checkpoint(request(0, 9, FORGED, OTHER)), FORGED[:9], OTHER)
    cosigned(witness.add_checkpoint(request(5, 6)), BOOK[:6])


def test_what_was_signed_is_never_forgotten(kept: Path) -> None:
    def restarted() -> Witness:
        return Witness(TOWN, [KEY.public], kept, lambda: SEEN)

    cosigned(restarted().add_checkpoint(request(0, 5)), BOOK[:5])
    assert restarted().add_checkpoint(request(0, 5)).status == HTTPStatus.CONFLICT
    cosigned(restarted().add_checkpoint(request(5, 12)), BOOK[:12])
    assert restarted().add_checkpoint(request(5, 12, FORGED)).status == HTTPStatus.CONFLICT


def test_a_witness_that_cannot_read_what_it_signed_signs_nothing(kept: Path) -> None:
    kept.write_text("{")
    with pytest.raises(NotKept):
        Witness(TOWN, [KEY.public], kept, lambda: SEEN).add_checkpoint(request(0, 5))
    with listening(Witness(TOWN, [KEY.public], kept, lambda: SEEN)) as port:
        assert post(port, request(0, 5))[0] == HTTPStatus.INTERNAL_SERVER_ERROR


# -- what it refuses

Body = Callable[[], bytes]
UNSIGNED = note_of(BOOK[:8], KEY).partition("\n\n")[0] + "\n\n"

REFUSED: dict[str, tuple[HTTPStatus, Body]] = {
    # the witness signed the head of five lines
    "an older size": (HTTPStatus.CONFLICT, lambda: request(4, 8)),
    "a later size": (HTTPStatus.CONFLICT, lambda: request(6, 8)),
    "from nothing": (HTTPStatus.CONFLICT, lambda: request(0, 8)),
    "a head that shrank": (HTTPStatus.CONFLICT, lambda: request(4, 4)),
    "another book of the same size": (HTTPStatus.CONFLICT, lambda: request(5, 5, FORGED)),
    "another book that grew": (HTTPStatus.UNPROCESSABLE_ENTITY, lambda: request(5, 8, FORGED)),
    "another book with the proof of ours": (
        HTTPStatus.UNPROCESSABLE_ENTITY, lambda: asked(5, proof(BOOK, 5, 8), note_of(FORGED[:8], KEY))),
    "no proof": (HTTPStatus.UNPROCESSABLE_ENTITY, lambda: asked(5, [], note_of(BOOK[:8], KEY))),
    "a proof of growth to another size": (
        HTTPStatus.UNPROCESSABLE_ENTITY, lambda: asked(5, proof(BOOK, 5, 9), note_of(BOOK[:8], KEY))),
    "a hash too many": (
        HTTPStatus.UNPROCESSABLE_ENTITY, lambda: asked(5, [*proof(BOOK, 5, 8), bytes(32)], note_of(BOOK[:8], KEY))),
    "a hash too short": (
        HTTPStatus.UNPROCESSABLE_ENTITY, lambda: asked(5, [b"short", *proof(BOOK, 5, 8)[1:]], note_of(BOOK[:8], KEY))),
    "a proof where none is needed": (
        HTTPStatus.UNPROCESSABLE_ENTITY, lambda: asked(5, [bytes(32)], note_of(BOOK[:5], KEY))),
    "an old size above the new one": (HTTPStatus.BAD_REQUEST, lambda: asked(8, [], note_of(BOOK[:5], KEY))),
    "a log that it doesn't follow": (
        HTTPStatus.NOT_FOUND, lambda: request(0, 8, key=SigningKey.generate("inconnu.example.org"))),
    "a stranger under the name of the log": (HTTPStatus.FORBIDDEN, lambda: request(5, 8, key=STRANGER)),
    "another log under this name": (
        HTTPStatus.FORBIDDEN,
        lambda: asked(5, proof(BOOK, 5, 8), UNSIGNED + OTHER.sign(f"{UNSIGNED[:-1]}").replace(OTHER.name, KEY.name))),
    "the signature of another head": (
        HTTPStatus.FORBIDDEN, lambda: asked(5, proof(BOOK, 5, 8), UNSIGNED + KEY.sign("another text\n"))),
    "the witness's own signature alone": (
        HTTPStatus.FORBIDDEN, lambda: asked(5, proof(BOOK, 5, 8), UNSIGNED + TOWN.cosign(UNSIGNED[:-1], SEEN))),
    "a head without a signature": (HTTPStatus.BAD_REQUEST, lambda: asked(5, proof(BOOK, 5, 8), UNSIGNED)),
    "more hashes than a proof has": (
        HTTPStatus.BAD_REQUEST, lambda: asked(5, [bytes(32)] * (MOST_PROOF + 1), note_of(BOOK[:8], KEY))),
    **{
        f"{body[:20]!r}": (HTTPStatus.BAD_REQUEST, lambda body=body: body)
        for body in (
            b"", b"\n", b"\n\n", b"old", b"old 5", b"old 5\n", b"old 5\n\n", b"old 5\n\nbonjour\n", b"\xff", bytes(100),
            b"old -5\n\n" + note_of(BOOK[:8], KEY).encode(), b"old 05\n\n" + note_of(BOOK[:8], KEY).encode(),
            b"old 5 \n\n" + note_of(BOOK[:8], KEY).encode(), b"new 5\n\n" + note_of(BOOK[:8], KEY).encode(),
            "old ٥\n\n".encode() + note_of(BOOK[:8], KEY).encode(), b"old " + b"9" * 5000 + b"\n\nx\n",
            b"old 5\n!\n\n" + note_of(BOOK[:8], KEY).encode(), b"old 5\r\n\r\n" + note_of(BOOK[:8], KEY).encode(),
            "old 5\né\n\n".encode() + note_of(BOOK[:8], KEY).encode(),
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_else_is_signed_and_what_was_signed_stays(witness: Witness, kept: Path, what: str) -> None:
    assert witness.add_checkpoint(request(0, 5)).status == HTTPStatus.OK
    before = kept.read_bytes()
    status, body = REFUSED[what]
    answer = witness.add_checkpoint(body())
    assert (answer.status, "\u2014" in answer.body) == (status, False)
    if status == HTTPStatus.CONFLICT:
        assert (answer.body, answer.kind) == ("5\n", "text/x.tlog.size")
    assert kept.read_bytes() == before
    cosigned(witness.add_checkpoint(request(5, 8)), BOOK[:8])


def test_a_proof_is_never_needed_from_nothing(witness: Witness) -> None:
    answer = witness.add_checkpoint(asked(0, [bytes(32)], note_of(BOOK[:8], KEY)))
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY


def split(witness: Witness, many: int) -> list[HTTPStatus]:
    """So many different books, that all grew from the same five lines, are shown at once."""
    views = [[*BOOK[:5], *(b"view %d, line %d\n" % (view, line) for line in range(3))] for view in range(many)]
    barrier, answers = Barrier(many), []

    def show(view: list[bytes]) -> None:
        body = request(5, 8, view)
        barrier.wait()
        answers.append(witness.add_checkpoint(body).status)

    threads = [Thread(target=show, args=(view,)) for view in views]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_many_views_shown_at_once_one_is_signed(witness: Witness) -> None:
    witness.add_checkpoint(request(0, 5))
    assert sorted(split(witness, 16)) == [HTTPStatus.OK] + [HTTPStatus.CONFLICT] * 15


def test_control_without_its_turns_a_witness_signs_two_views(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness.add_checkpoint(request(0, 5))
    read, together = Witness._read, Barrier(2)

    def both_read_before_one_writes(this: Witness) -> dict[str, tuple[int, bytes]]:
        found = read(this)
        together.wait()
        return found

    monkeypatch.setattr(witness, "_turn", nullcontext())
    monkeypatch.setattr(Witness, "_read", both_read_before_one_writes)
    monkeypatch.setattr(Witness, "_write", lambda *_: None)  # two at once would also meet in its file
    assert split(witness, 2) == [HTTPStatus.OK, HTTPStatus.OK]


# -- over HTTP


@contextmanager
def listening(witness: Witness) -> Iterator[int]:
    """The port on which a witness answers."""
    server = serve(witness, "127.0.0.1", 0)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def post(port: int, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, str]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.request("POST", path, body)
        return told(client.getresponse())


def told(answer: HTTPResponse) -> tuple[int, str, str]:
    return answer.status, answer.headers["Content-Type"], answer.read().decode()


def test_what_a_town_signs_is_seen_by_who_verifies_the_export(
    witness: Witness, postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rich, path = exported.rich(postgres), tmp_path / "export"
    early, late = rich.early, rich.late
    grown = proof(rich.lines, early.size, late.size)
    with listening(witness) as port:
        assert post(port, asked(0, [], early.note))[0] == HTTPStatus.OK
        status, kind, line = post(port, asked(early.size, grown, late.note))
        assert (status, kind) == (HTTPStatus.OK, "text/plain; charset=utf-8")
        assert post(port, asked(early.size, grown, late.note))[:2] == (HTTPStatus.CONFLICT, "text/x.tlog.size")
    marks = b"".join(leaf[: exports.MARK] for leaf in leaves_of(rich.lines))
    path.write_bytes(b"".join([*rich.lines, exports.last_line(late.note + line, marks)]))
    for keys in ([TOWN.witness, NEXT.public], [NEXT.public, TOWN.witness]):
        report = verify.verify(path, keys=keys)
        assert (report.finding, report.signed, report.witnesses) == (None, NEXT.public, (TOWN.name,))
    assert verify.verify(path).witnesses == ()  # a witness that the reader doesn't know tells nothing
    assert verify.verify(path, earlier=late.note + line, keys=[NEXT.public, TOWN.witness]).finding is None
    asked_ = ["verify", str(path), "--key", str(TOWN.witness)]
    assert main(asked_) == 1
    assert "la clé d’un témoin ne suffit pas" in capsys.readouterr().out
    assert main([*asked_, "--key", str(NEXT.public)]) == 0
    assert f"signé par {exported.NAME}, vu par {TOWN.name}." in capsys.readouterr().out


def test_a_signature_that_a_witness_did_not_make_is_refused(postgres: Postgres, tmp_path: Path) -> None:
    rich, path = exported.rich(postgres), tmp_path / "export"
    marks = b"".join(leaf[: exports.MARK] for leaf in leaves_of(rich.lines))
    of_another_head = TOWN.cosign(rich.early.note.partition("\n\n")[0] + "\n", SEEN)
    path.write_bytes(b"".join([*rich.lines, exports.last_line(rich.late.note + of_another_head, marks)]))
    found = verify.verify(path, keys=[NEXT.public, TOWN.witness]).finding
    assert found is not None
    assert found.rule == "signature"


def test_only_its_one_address_is_answered(witness: Witness, kept: Path) -> None:
    with listening(witness) as port:
        assert post(port, b"", "/")[0] == HTTPStatus.NOT_FOUND
        assert post(port, b"x" * 64_000)[0] == HTTPStatus.BAD_REQUEST
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as client:
            client.request("GET", "/add-checkpoint")
            assert told(client.getresponse())[0] == HTTPStatus.NOT_IMPLEMENTED
        for length in ("64001", "", "-1", "1e3", "٥", "9" * 5000):
            with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as client:
                client.putrequest("POST", "/add-checkpoint")
                client.putheader("Content-Length", length.encode())
                client.endheaders()
                assert told(client.getresponse())[0] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        assert not kept.exists()
        assert post(port, request(0, 5))[0] == HTTPStatus.OK


# -- as a command


def test_a_town_becomes_a_witness_with_one_command(tmp_path: Path) -> None:
    secret, kept = tmp_path / "secret.pem", tmp_path / "heads.json"
    command = [
        sys.executable, "-m", "ledger", "witness", "--name", "temoin.example.org", "--secret", str(secret),
        "--kept", str(kept), "--log", str(KEY.public), "--port", "0",
    ]  # fmt: skip
    keys = []
    for old, size, stop in ((0, 5, signal.SIGINT), (5, 8, signal.SIGTERM)):  # started, stopped, and started again
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        ) as running:
            assert running.stdout is not None
            keys.append(signatures.VerifierKey.parse(running.stdout.readline().removeprefix("Témoin : ").strip()))
            address = running.stdout.readline().removeprefix("À l’écoute sur ").strip()
            port = urlsplit(address).port
            assert port
            status, _kind, line = post(port, request(old, size), urlsplit(address).path)
            assert status == HTTPStatus.OK
            assert signatures.verify(note_of(BOOK[:size], KEY) + line, [keys[-1]])
            running.send_signal(stop)
        assert running.returncode == 0
    assert keys[0] == keys[1]


def test_a_witness_whose_secret_others_can_read_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret.pem"
    TOWN.save(secret)
    os.chmod(secret, 0o644)
    asked_ = ["witness", "--name", TOWN.name, "--secret", str(secret), "--kept", str(tmp_path / "heads.json"), "--log",
              str(KEY.public)]  # fmt: skip
    assert main(asked_) == 2
    assert "d’autres que vous peuvent lire" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["a folder", "no folder", "garbage", "a list"])
def test_a_witness_that_could_not_keep_what_it_signs_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    kept = tmp_path / "there" / "heads.json"
    if what != "no folder":
        kept.parent.mkdir()
    if what == "a folder":
        kept.mkdir()
    elif what != "no folder":
        kept.write_text({"garbage": "{", "a list": "[1]"}[what])
    assert main(command(tmp_path, kept)) == 2
    said = capsys.readouterr()
    assert said.err.startswith("Impossible : «")
    assert said.out == ""


def command(folder: Path, kept: Path, *more: str) -> list[str]:
    secret = folder / "secret.pem"
    if not secret.exists():
        TOWN.save(secret)
    asked_ = ["witness", "--name", TOWN.name, "--secret", str(secret), "--kept", str(kept), "--log", str(KEY.public)]
    return [*asked_, *more]


@pytest.mark.parametrize("port", ["99999", "-1", "http", "²", "1" * 5000])
def test_a_port_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit):
        main(command(tmp_path, tmp_path / "heads.json", f"--port={port}"))
    assert "un port est un nombre de 0 à 65535" in capsys.readouterr().err


def test_a_port_that_somebody_has_is_said_to_be_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(command(tmp_path, tmp_path / "heads.json", "--port", port)) == 2
    assert capsys.readouterr().err == "Impossible : ce port est déjà pris.\n"
