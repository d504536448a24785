"""``marronnier expire``: what the worker does every hour with declared exchanges, done now."""

from __future__ import annotations

import click

from exchange import clock
from exchange.db import transaction
from exchange.declarations import operations
from exchange.members import queries as members
from ledger.entries import Acting


@click.command()
def expire() -> None:
    """Clore les échanges déclarés que personne n'a confirmés à temps."""
    at, closed = clock.now(), 0
    with transaction() as session:
        for community in members.communities(session):
            by = Acting(None, community.system_party_id)
            closed += operations.expire(session, by=by, community=community.id, at=at)
    click.echo(f"{closed} déclaration(s) close(s) sans réponse.")
