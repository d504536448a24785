"""What the worker does. Each task is also a command: see ``exchange.cli``."""

from __future__ import annotations

from flask_mailman import EmailMessage

from exchange import clock
from exchange.db import transaction
from exchange.jobs import app
from exchange.outbox import Letter


@app.task(name="send_letter", retry=5)
def send_letter(letter: int) -> None:
    """Send one letter of the outbox, once; a failure is kept beside it and tried again."""
    with transaction() as session:
        kept = session.get(Letter, letter, with_for_update=True)
        if kept is None or kept.sent_at is not None:
            return
        EmailMessage(kept.subject, kept.body, to=[kept.recipient]).send()
        kept.sent_at = clock.now()
