"""A program is told which charter stands in its way, reads it, and accepts it."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from exchange.charters import operations
from tests.cast import NOON, Cast
from tests.exchange.api.conftest import JSON, Program, refusal
from tests.lent import Lent


@pytest.fixture
def charter(session: Session, cast: Cast, lent: Lent) -> str:
    return str(operations.write(session, lender=cast.town.id, title="Charte", text="Propre.", by=cast.olga.by,
                                at=NOON).token)  # fmt: skip


@pytest.fixture
def wanted(cast: Cast, lent: Lent) -> JSON:
    return {"party": cast.alice.party.token, "items": [{"resource": lent.hall.token}], "purpose": "Fête",
            "starts_at": "2026-11-27T18:00:00+01:00", "ends_at": "2026-11-27T22:00:00+01:00"}  # fmt: skip


def test_the_refusal_names_the_charter_and_leads_to_it(alice: Program, wanted: JSON, charter: str) -> None:
    quote = {name: value for name, value in wanted.items() if name != "purpose"}
    told = alice.do("/quotes", quote)
    assert not told["allowed"]
    assert [each["holds"] for each in told["findings"] if each["code"] == "charter"] == [False]
    answer = alice.post("/bookings", wanted)
    assert refusal(answer) == (422, "charter-not-accepted")
    assert answer.json["location"] == f"/api/v1/charters/{charter}"
    assert alice.read(f"/charters/{charter}")["text"] == "Propre."
    alice.do(f"/charters/{charter}/acceptance", {"party": wanted["party"]})
    alice.do(f"/charters/{charter}/acceptance", {"party": wanted["party"]})
    assert alice.do("/quotes", quote)["allowed"]
    alice.do("/bookings", wanted)


def test_nobody_accepts_in_another_s_name(bruno: Program, wanted: JSON, charter: str) -> None:
    answer = bruno.post(f"/charters/{charter}/acceptance", {"party": wanted["party"]})
    assert refusal(answer) == (422, "wrong-fields")
    assert refusal(bruno.get("/charters/nobody")) == (404, "not-found")
