"""``marronnier erase-agreements``: the words of somebody's agreements, when that person asks for it."""

from __future__ import annotations

import click

from exchange.agreements import operations
from exchange.installing import as_owner
from exchange.members import queries as members


@click.command("erase-agreements")
@click.argument("name")
def erase(name: str) -> None:
    """Effacer le texte et les noms des conventions d'une personne ; leurs numéros et leurs empreintes restent.

    NAME est son nom d'utilisateur, ou son nom entier.
    """
    with as_owner() as session:
        found = members.parties_called(session, name)
        if len(found) != 1:
            raise click.ClickException(f"« {name} » : {'plusieurs portent ce nom' if found else 'personne'}.")
        gone = operations.erase(session, found[0].id)
    click.echo(f"{gone} conventions effacées.")
