"""``marronnier audit``: everything recomputed from the rows, and said."""

from __future__ import annotations

import sys

import click

from exchange import clock
from exchange.audit import queries
from exchange.audit.wording import CHECKED
from exchange.db import db


@click.command()
def audit() -> None:
    """Recalculer tous les comptes depuis les écritures, et dire ce qui a été vérifié.

    Le code de sortie est 0 quand tout concorde, 1 sinon.
    """
    session, faults = db.session(), 0
    for finding in queries.checks(session, at=clock.now()):
        faults += len(finding.wrong)
        mark = "ERREUR" if finding.wrong else "juste"
        click.echo(f"{mark:>7}  {CHECKED[finding.name]} ({finding.counted})")
        for said in finding.wrong:
            click.echo(f"         ! {said}", err=True)
    click.echo("Tout concorde." if not faults else f"{faults} anomalie(s) : les comptes ne concordent pas.")
    sys.exit(1 if faults else 0)
