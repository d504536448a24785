"""``python -m ledger``: check what left a server, without that server; or be the witness of another town."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from ledger import exports, signatures, verify, witness
from ledger.entries import MOST
from ledger.minutes import spell
from ledger.replay import Wrong
from ledger.sentences import of_file, of_key, of_lines, plain, sentence
from ledger.signatures import SigningKey, VerifierKey


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the status is 0 when all is right, 1 when something is wrong, 2 when a file can't be read."""
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, TextIOWrapper):
            out.reconfigure(errors="replace")  # a terminal without accents shows question marks
    told = _parser().parse_args(arguments)
    try:
        return int(told.run(told))
    except OSError as unusable:
        print(f"Impossible : {of_file(unusable)}.", file=sys.stderr)
    except (signatures.KeyRefused, signatures.Malformed) as refused:
        print(f"Cette clé ne convient pas : {of_key(refused)}.", file=sys.stderr)
    except witness.NotKept as unread:
        print(f"Impossible : « {unread} » ne dit pas quelles têtes ont été signées.", file=sys.stderr)
    except signatures.CannotCheck:
        print("Il faut la bibliothèque « cryptography » pour signer.", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ledger", description="Vérifier des comptes sans leur serveur.")
    commands = parser.add_subparsers(required=True, metavar="COMMANDE")

    whole = commands.add_parser("verify", help="vérifier un export complet")
    whole.add_argument("path", type=Path, metavar="EXPORT")
    whole.set_defaults(run=_verify)
    one = commands.add_parser("verify-entry", help="vérifier la preuve qu’une écriture est dans le livre")
    one.add_argument("path", type=Path, metavar="PREUVE")
    one.set_defaults(run=_verify_entry)
    for command in (whole, one):
        command.add_argument("--head", type=Path, metavar="TÊTE", help="une tête signée que vous avez gardée")
        command.add_argument("--key", action="append", default=[], type=_key, metavar="CLÉ",
                             help="une clé que vous croyez, du livre ou d’un témoin ; plusieurs fois si besoin")  # fmt: skip

    see = commands.add_parser("witness", help="être le témoin d’un autre livre : signer ses têtes s’il ne fait que grandir")
    see.add_argument("--name", required=True, help="le nom sous lequel vous signez, par exemple temoin.example.org")
    see.add_argument("--secret", required=True, type=Path, help="le fichier de votre clé ; fait s’il n’existe pas")
    see.add_argument("--kept", required=True, type=Path, help="le fichier qui retient la plus grande tête signée")
    see.add_argument("--log", required=True, action="append", type=_key, metavar="CLÉ", help="la clé du livre à suivre")
    see.add_argument("--host", default="127.0.0.1")
    see.add_argument("--port", default=8099, type=_port)
    see.set_defaults(run=_witness)
    return parser


def _key(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text.strip())
    except signatures.Malformed as malformed:
        raise argparse.ArgumentTypeError(f"ce n’est pas une clé : {of_key(malformed)}") from malformed


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 1 << 16):
        raise argparse.ArgumentTypeError("un port est un nombre de 0 à 65535")
    return int(text)


def _verify(told: argparse.Namespace) -> int:
    earlier = exports.kept(told.head.read_bytes()) if told.head else None
    report = verify.verify(told.path, earlier=earlier, keys=told.key)
    if report.finding is not None:
        where = f"Ligne {report.finding.line} : " if report.finding.line else "Ce livre ne se vérifie pas : "
        print(f"{where}{sentence(report.finding.rule, report.finding.facts)}.")
        return 1
    signed = f"signé par {report.signed.name}" if report.signed else "la signature n’a pas été vérifiée (cryptography manque)"
    witnesses = f", vu par {', '.join(report.witnesses)}" if report.witnesses else ""
    print(f"Tout concorde : {of_lines(report.size)}, écritures : {report.facts['entry']}, comptes ouverts ou clos :"
          f" {report.accounts}, dont la somme est zéro ; {signed}{witnesses}.")  # fmt: skip
    if report.earlier is not None:
        print(f"Rien n’a changé sous la tête que vous avez gardée ({of_lines(report.earlier)}).")
    if report.signed is not None and not report.trusted:
        print("Cette clé, c’est le fichier qui la nomme. Est-ce celle que vous connaissez du livre ? Donnez-la avec --key,"
              f" sinon rien ne dit de qui vient ce fichier.\n{report.signed}")  # fmt: skip
    return 0


def _verify_entry(told: argparse.Namespace) -> int:
    earlier = exports.kept(told.head.read_bytes()) if told.head else None
    try:
        shown = verify.verify_entry(told.path.read_text(encoding="utf-8-sig"), earlier=earlier, keys=told.key)
    except UnicodeDecodeError:
        print(f"Cette preuve ne vaut rien : {sentence('proof-malformed', {})}.")
        return 1
    except Wrong as wrong:
        print(f"Cette preuve ne vaut rien : {sentence(wrong.rule, wrong.facts)}.")
        return 1
    if shown.signed:
        print(f"Oui, {_said(shown.fact)} est dans le livre, sous une tête de {of_lines(shown.size)} signée par {shown.signed}.")
    else:
        why = "cryptography manque" if told.key else "donnez la clé du livre avec --key, elle est sur sa page"
        print(f"Personne n’a encore vérifié la signature ({why}). Si elle est bonne : {_said(shown.fact)} est dans le livre,"
              f" sous une tête de {of_lines(shown.size)}.")  # fmt: skip
    if shown.earlier is not None:
        print(f"Rien n’a changé sous la tête que vous avez gardée ({of_lines(shown.earlier)}).")
    return 0


def _said(fact: dict[str, Any]) -> str:
    """A fact in a few words, whatever it holds."""
    moves, number = fact.get("transfers"), plain(fact.get("id"))
    if fact.get("fact") != "entry" or not isinstance(moves, list):
        return f"le fait {number}"
    minutes = [each.get("minutes") for each in moves if isinstance(each, dict)]
    spelled = ", ".join(spell(each) for each in minutes if type(each) is int and 1 <= each <= MOST)
    return f"l’écriture {number} du {plain(fact.get('happened_on'))} ({spelled})"


def _witness(told: argparse.Namespace) -> int:
    try:
        secret = SigningKey.load(told.secret, told.name)
    except FileNotFoundError:
        secret = SigningKey.generate(told.name)
        secret.save(told.secret)
    seen = witness.Witness(secret, told.log, told.kept, time.time)
    seen.check()
    print(f"Témoin : {secret.witness}", flush=True)
    server = witness.serve(seen, told.host, told.port)
    for number in (signal.SIGINT, signal.SIGTERM):  # whoever started it, and whatever it was told to ignore
        signal.signal(number, _interrupt)
    print(f"À l’écoute sur http://{told.host}:{server.server_port}/add-checkpoint", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
    return 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
