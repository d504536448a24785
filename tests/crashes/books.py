"""The books of a database that was hurt: sealed, exported, and verified again with nothing of the server."""

from __future__ import annotations

from pathlib import Path

from flask import current_app

from exchange import clock, sealing
from ledger import verify


def sealed_and_verified(folder: Path, *, earlier: str | None = None) -> list[str]:
    """Seal and export as the commands do, then verify as a stranger does; what is wrong, in words.

    ``earlier`` is a head that somebody keeps. Needs an application context.
    """
    path = folder / "livre.jsonl"
    path.unlink(missing_ok=True)
    head = sealing.export(path, at=clock.now())
    if head is None:
        return ["the books are empty"]
    report = verify.verify(path, earlier=earlier, keys=[sealing.signing_key().public])
    if report.finding is None and report.signed and report.size == head.size:
        return []
    return [f"the export of {current_app.config['SQLALCHEMY_DATABASE_URI']}: {report}"]
