"""``python -m ledger``: check what left a server, without that server; or be the witness of another town."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger import signatures, verify, witness
from ledger.entries import MOST
from ledger.minutes import spell
from ledger.signatures import SigningKey, VerifierKey

MOST_SHOWN = 80  # characters of a value in a sentence
SENTENCES = {
    "account-twice": "le compte {account} est ouvert deux fois",
    "account-unknown": "le compte {account} n’est pas de cette communauté",
    "after-head": "quelque chose suit la tête signée, qui devrait être la dernière ligne",
    "announced": "l’écriture {entry}, annoncée par des minutes réservées, manque",
    "balance": "le solde du compte {account} devrait être {due}, et non {said}",
    "changed": "cette ligne n’est pas celle qui a été scellée",
    "clock": "cette ligne est datée d’avant la précédente du compte {account}",
    "closed": "le compte {account} est clos, ou son départ est déjà noté",
    "closed-not-zero": "le compte {account} est clos avec un solde de {balance} et {held} minutes réservées",
    "corrected": "l’écriture {entry} est corrigée deux fois, ou la correction n’en nomme aucune",
    "count": "la tête signée compte {said} lignes, le fichier {found}",
    "date": "une date n’est pas écrite comme le livre les écrit",
    "earlier-malformed": "la tête que vous avez gardée n’est pas lisible",
    "earlier-other": "la tête que vous avez gardée est d’un autre livre ({origin})",
    "earlier-signature": "la tête que vous avez gardée n’est signée par aucune clé de ce livre",
    "floor": "le compte {account} descend à {balance}, sous son plancher de {floor}",
    "head-malformed": "la tête signée n’est pas lisible",
    "hold-entry": "des minutes réservées ne sont pas comptées comme elles l’étaient",
    "hold-unknown": "les minutes réservées {hold} n’existent pas, ou sont déjà comptées ou rendues",
    "leaving": "la personne du compte {account} part, et son solde s’éloigne de zéro",
    "limit-backdated": "une limite commence avant d’être enregistrée",
    "mandate": "le mandat {mandate} n’est pas celui de cette personne",
    "mirror": "la correction de l’écriture {entry} n’en est pas le miroir",
    "month": "le mois {month} devrait porter {due} minutes, et non {said} ; ou il manque des écritures",
    "month-order": "le mois {month} n’est pas clos à son tour",
    "no-growth": "la preuve ne dit rien de la tête de {earlier} lignes : demandez-la depuis cette tête",
    "no-head": "le fichier finit sans sa tête signée",
    "not-included": "cette ligne n’est pas dans l’arbre de la tête signée",
    "proof-malformed": "ce fichier n’est pas une preuve",
    "rewritten": "le livre a été récrit : ses {earlier} premières lignes ne sont plus celles de la tête gardée",
    "seq": "le numéro {said} du compte {account} devrait être {due}",
    "shorter": "le livre est plus court ({size} lignes) que la tête gardée ({earlier})",
    "signature": "la tête n’est signée par aucune des clés connues",
    "transfer": "un mouvement n’est pas d’un compte à un autre, d’une minute au moins",
    "tree": "l’arbre de ces lignes n’est pas celui qui est signé",
    "unreadable": "cette ligne n’est pas un fait comme le livre les écrit",
}  # what is wrong, by its rule


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the status is 0 when all is right, 1 when something is wrong, 2 when a file can't be read."""
    told = _parser().parse_args(arguments)
    try:
        return int(told.run(told))
    except OSError as unread:
        print(f"Ce fichier ne se lit pas : {unread.filename or unread}.", file=sys.stderr)
    except (signatures.KeyRefused, signatures.Malformed) as refused:
        print(f"Cette clé ne convient pas ({refused.reason}).", file=sys.stderr)
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
    see.add_argument("--port", default=8099, type=int)
    see.set_defaults(run=_witness)
    return parser


def _key(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except signatures.Malformed as malformed:
        raise argparse.ArgumentTypeError(f"ce n’est pas une clé ({malformed.reason})") from malformed


def sentence(rule: str, facts: dict[str, Any]) -> str:
    """What is wrong, in words."""
    return SENTENCES[rule].format(**{name: _plain(value) for name, value in facts.items()})


def _plain(value: object) -> str:
    """A value of a file that nobody vouches for: short, and nothing that a terminal would obey or couldn't show."""
    if type(value) not in {int, str}:
        return "?"
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in str(value))
    return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…"


def _verify(told: argparse.Namespace) -> int:
    earlier = told.head.read_bytes() if told.head else None
    report = verify.verify(told.path, earlier=earlier, keys=told.key)
    if report.finding is not None:
        where = f"Ligne {report.finding.line} : " if report.finding.line else "Ce livre ne se vérifie pas : "
        print(f"{where}{sentence(report.finding.rule, report.finding.facts)}.")
        return 1
    signed = f"signés par {report.signed}" if report.signed else "la signature n’a pas été vérifiée (cryptography manque)"
    witnesses = f", vus par {', '.join(report.witnesses)}" if report.witnesses else ""
    print(f"Tout concorde : {report.size} lignes, {report.facts['entry']} écritures, {report.accounts} comptes dont la somme"
          f" est zéro, {signed}{witnesses}.")  # fmt: skip
    if report.earlier is not None:
        print(f"Les {report.earlier} premières lignes sont celles de la tête que vous avez gardée.")
    return 0


def _verify_entry(told: argparse.Namespace) -> int:
    earlier = told.head.read_bytes() if told.head else None
    try:
        shown = verify.verify_entry(told.path.read_text(encoding="utf-8"), earlier=earlier, keys=told.key)
    except UnicodeDecodeError:
        print(f"Cette preuve ne vaut rien : {sentence('proof-malformed', {})}.")
        return 1
    except verify.Wrong as wrong:
        print(f"Cette preuve ne vaut rien : {sentence(wrong.rule, wrong.facts)}.")
        return 1
    signed = f"signée par {shown.signed}" if shown.signed else "dont la signature n’a pas été vérifiée (donnez --key)"
    print(f"{_said(shown.fact)} est dans le livre, sous une tête de {shown.size} lignes {signed}.")
    return 0


def _said(fact: dict[str, Any]) -> str:
    """A fact in a few words, whatever it holds."""
    moves, number = fact.get("transfers"), _plain(fact.get("id"))
    if fact.get("fact") != "entry" or not isinstance(moves, list):
        return f"Le fait {number}"
    minutes = [each.get("minutes") for each in moves if isinstance(each, dict)]
    spelled = ", ".join(spell(each) for each in minutes if type(each) is int and 1 <= each <= MOST)
    return f"L’écriture {number} du {_plain(fact.get('happened_on'))} ({spelled})"


def _witness(told: argparse.Namespace) -> int:
    try:
        secret = SigningKey.load(told.secret, told.name)
    except FileNotFoundError:
        secret = SigningKey.generate(told.name)
        secret.save(told.secret)
    print(f"Témoin : {secret.witness}", flush=True)
    server = witness.serve(witness.Witness(secret, told.log, told.kept, time.time), told.host, told.port)
    print(f"À l’écoute sur http://{told.host}:{server.server_port}/add-checkpoint", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
