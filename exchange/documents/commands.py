"""``marronnier erase-documents``: the files that somebody gave, when that person asks for it."""

from __future__ import annotations

import click

from exchange.documents import operations
from exchange.installing import as_owner
from exchange.members import queries as members


@click.command("erase-documents")
@click.argument("name")
def erase(name: str) -> None:
    """Effacer les documents donnés par une personne ou une structure ; il reste qu'ils ont été donnés, et quand.

    NAME est son nom d'utilisateur, ou son nom entier.
    """
    with as_owner() as session:
        found = members.parties_called(session, name)
        if len(found) != 1:
            raise click.ClickException(f"« {name} » : {'plusieurs portent ce nom' if found else 'personne'}.")
        gone = operations.erase(session, found[0].id)
    click.echo(f"{gone} documents effacés.")
