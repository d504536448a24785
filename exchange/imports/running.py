"""An import at work: each step in a transaction of its own, for the worker and for the command line."""

from __future__ import annotations

from collections.abc import Iterator

from exchange import clock
from exchange.db import transaction
from exchange.imports import operations
from exchange.imports.operations import Progress
from exchange.members import queries as members


def steps(import_id: int) -> Iterator[Progress]:
    """Do what is left of a started import, saying after each step how far it is; interrupted, it can be begun again."""
    with transaction() as session:
        zone = members.territory(session).zone
        work = operations.prepare(session, import_id, zone=zone, at=clock.now())
    while work is not None:
        with transaction() as session:
            progress = operations.step(session, work, at=clock.now())
        yield progress
        if progress.done >= progress.total:
            return
