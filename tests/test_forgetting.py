"""Letters that left and answers that wrote no entry are forgotten after thirty days, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange import clock
from exchange.forgetting import KEPT, Forgotten, forget
from exchange.members.operations import add_party
from exchange.outbox import Letter


def test_what_is_old_goes_and_the_rest_stays(session: Session) -> None:
    at = clock.now()
    old, young = at - KEPT - timedelta(minutes=1), at - KEPT + timedelta(minutes=1)
    for recipient, sent_at in (("old", old), ("young", young), ("never", None)):
        session.add(Letter(recipient=recipient, subject="s", body="b", written_at=old, sent_at=sent_at))
    party = add_party(session, kind="person", name="Alice", at=at).id
    for key, kept_at, has_entry in (("old", old, False), ("young", young, False), ("entry", old, True)):
        session.execute(
            text(
                "INSERT INTO kept_answers (party_id, key, content, has_entry, kept_at)"
                " VALUES (:party, :key, '\\x00', :has_entry, :kept_at)"
            ),
            {"party": party, "key": key, "has_entry": has_entry, "kept_at": kept_at},
        )
    assert forget(session, at=at) == Forgotten(answers=1, letters=1, places=0)
    assert set(session.scalars(text("SELECT recipient FROM outbox"))) == {"young", "never"}
    assert set(session.scalars(text("SELECT key FROM kept_answers"))) == {"young", "entry"}
    assert forget(session, at=at) == Forgotten(0, 0, 0)
