"""What the commands say, in words: what is wrong in a file, which key doesn't suit, why a file can't be used."""

from __future__ import annotations

import errno
from io import UnsupportedOperation
from typing import Any

from ledger.signatures import KeyRefused, Malformed

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
    "date": "une date n’existe pas, ou n’est pas écrite comme le livre les écrit",
    "earlier-malformed": "la tête que vous avez gardée n’est pas lisible",
    "earlier-other": "la tête que vous avez gardée est d’un autre livre ({origin})",
    "earlier-signature": "la tête que vous avez gardée n’est signée par aucune des clés {whose}",
    "floor": "le compte {account} descend à {balance}, sous son plancher de {floor}",
    "head-malformed": "la tête signée n’est pas lisible",
    "hold-entry": "des minutes réservées ne sont pas comptées comme elles l’étaient",
    "hold-unknown": "les minutes réservées {hold} n’existent pas, ou sont déjà comptées ou rendues",
    "kind": "le livre ne connaît rien de la sorte « {kind} », ou pas là",
    "leaving": "la personne du compte {account} part, et son solde s’éloigne de zéro",
    "limit-backdated": "une limite commence avant d’être enregistrée",
    "mandate": "le mandat {mandate} n’est pas celui de cette personne",
    "mirror": "la correction de l’écriture {entry} n’en est pas le miroir",
    "month": "le mois {month} devrait porter {due} minutes, et non {said} ; ou il manque des écritures",
    "month-order": "le mois {month} n’est pas clos à son tour",
    "no-growth": "la preuve ne dit rien de la tête de {earlier} lignes : demandez-la depuis cette tête",
    "no-head": "le fichier finit sans sa tête signée",
    "not-included": "cette ligne n’est pas dans l’arbre de la tête signée",
    "only-witness": "la clé d’un témoin ne suffit pas : donnez aussi celle du livre",
    "proof-malformed": "ce fichier n’est pas une preuve",
    "rewritten": "le livre a été récrit : ses {earlier} premières lignes ne sont plus celles de la tête gardée",
    "seq": "le numéro {said} du compte {account} devrait être {due}",
    "shorter": "le livre est plus court (lignes : {size}) que la tête gardée ({earlier})",
    "signature": "la tête n’est signée par aucune des clés {whose}",
    "to-come": "l’écriture {entry} est du {day}, après le jour où elle a été enregistrée",
    "transfer": "un mouvement n’est pas d’un compte à un autre, d’une minute au moins",
    "tree": "l’arbre de ces lignes n’est pas celui qui est signé",
    "twice": "le fait {number} est écrit deux fois",
    "unreadable": "cette ligne n’est pas un fait comme le livre les écrit",
}  # what is wrong, by its rule
OF_FILES = {
    errno.ENOENT: "{path} n’existe pas",
    errno.EISDIR: "{path} est un dossier",
    errno.ENOTDIR: "{path} n’est pas dans un dossier",
    errno.EACCES: "vous n’avez pas le droit de vous servir de {path}",
    errno.EPERM: "vous n’avez pas le droit de vous servir de {path}",
    errno.EROFS: "on ne peut pas écrire là où est {path}",
    errno.ENOSPC: "le disque est plein",
    errno.ESPIPE: "il faut un fichier, qui puisse se lire deux fois",
    errno.EADDRINUSE: "ce port est déjà pris",
    errno.EADDRNOTAVAIL: "cette adresse n’est pas celle de cet ordinateur",
}
OF_KEYS = {
    "exists": "{path} existe déjà : une clé qui a signé ne s’efface pas",
    "exposed": "d’autres que vous peuvent lire {path} : retirez-leur ce droit (chmod 600)",
    "malformed": "{path} n’est pas le fichier d’une clé Ed25519",
    "key-id": "son numéro n’est pas le sien : est-elle copiée en entier ?",
    "name": "un nom n’a ni espace ni « + »",
}


def sentence(rule: str, facts: dict[str, Any]) -> str:
    """What is wrong in a file, by its rule."""
    return SENTENCES[rule].format(**{name: plain(value) for name, value in facts.items()})


def plain(value: object) -> str:
    """A value of a file that nobody vouches for: short, and nothing that a terminal would obey or couldn't show."""
    if type(value) not in {int, str}:
        return "?"
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in str(value))
    return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…"


def of_file(error: OSError) -> str:
    """Why a file, or an address, can't be used."""
    if isinstance(error, UnsupportedOperation):  # which has no number
        return OF_FILES[errno.ESPIPE]
    path = f"« {plain(str(error.filename))} »" if error.filename else "ce fichier"
    if error.errno not in OF_FILES:
        return f"{path} ne se laisse pas utiliser ({errno.errorcode.get(error.errno or 0, type(error).__name__)})"
    return OF_FILES[error.errno].format(path=path)


def of_key(refused: KeyRefused | Malformed) -> str:
    """Why a key doesn't suit."""
    path = f"« {plain(str(refused.path))} »" if isinstance(refused, KeyRefused) else ""
    otherwise = "elle s’écrit nom+numéro+clé, comme la page du livre la montre"
    return OF_KEYS.get(refused.reason, otherwise).format(path=path)


def of_lines(count: int) -> str:
    """So many lines."""
    return f"{count} ligne{'s' if count > 1 else ''}"
