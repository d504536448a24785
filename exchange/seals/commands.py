"""``marronnier seal``, ``marronnier rotate-key`` and ``marronnier export ledger PATH``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from exchange import clock, sealing
from ledger.sentences import of_file, of_key
from ledger.signatures import KeyRefused


def _unusable(refused: sealing.KeyMissing | KeyRefused) -> None:
    lost = f"« {refused} » n’est pas là, ou n’est plus celle qui signe"
    why = of_key(refused) if isinstance(refused, KeyRefused) else lost
    _fail(f"La clé du livre n’est pas utilisable : {why}. Remettez-la, ou lancez `marronnier rotate-key`.")


def _fail(said: str) -> None:
    click.echo(said, err=True)
    sys.exit(1)


@click.command()
def seal() -> None:
    """Sceller ce qui ne l'est pas encore, et dire la tête du livre."""
    try:
        head = sealing.seal_now(at=clock.now())
    except (sealing.KeyMissing, KeyRefused) as refused:
        return _unusable(refused)
    click.echo(head.note if head else "Tout est déjà scellé.")
    return None


@click.command(name="rotate-key")
def rotate_key() -> None:
    """Remplacer la clé qui signe le livre ; l'ancienne reste à côté, et le changement est scellé."""
    click.echo(f"La nouvelle clé est {sealing.rotate(at=clock.now())}")


@click.group()
def export() -> None:
    """Exporter des données."""


@export.command(name="ledger")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
def ledger(path: Path) -> None:
    """Écrire tout le livre dans un fichier, que `python -m ledger verify` vérifie sans ce serveur."""
    try:
        head = sealing.export(path, at=clock.now())
    except FileExistsError:
        return _fail(f"{path} existe déjà : choisissez un autre nom.")
    except OSError as unwritten:
        return _fail(f"Le livre ne s’écrit pas : {of_file(unwritten)}.")
    except (sealing.KeyMissing, KeyRefused) as refused:
        return _unusable(refused)
    click.echo(f"{head.size} lignes écrites dans {path}." if head else "Le livre est encore vide : rien n'a été écrit.")
    return None
