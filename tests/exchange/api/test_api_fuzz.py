"""T17 in short form: requests made from the document, right and wrong, by a program of each role.

Whatever is asked, the answer is one that the document describes: never a fault of ours, never an error page, never a
wrong value taken for a right one. Most addresses are real, and half of what bodies name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import AcceptedNegativeData, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from exchange import clock
from exchange.adverts import operations as adverts
from exchange.db import db, transaction
from exchange.members import operations as members
from exchange.rest.fields import Count
from tests.cast import Cast, Person, committed
from tests.databases import Database
from tests.lent import lend

CHECKS: list[Any] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance, negative_data_rejection, missing_required_header, unsupported_method, ignored_auth,
]  # fmt: skip
ROLES = ("alice", "bruno", "fanny", "aicha", "olga")
Mode = schemathesis.GenerationMode
EXAMPLES = 3  # of each operation, right and wrong, for each role


@pytest.fixture(autouse=True)
def _saturday_noon() -> None:
    """The real time: everything here happens from now on."""


class Ground:
    """An application on a database of its own, with something of each kind in it, and the names of those things."""

    def __init__(self, database: Database) -> None:
        self.app = database.app()
        now = clock.now()
        self.cast = committed(self.app, at=now)
        engine = create_engine(database.owner_url, poolclass=NullPool)
        with self.app.app_context(), Session(engine) as owner:
            adverts.add_category(owner, community=self.cast.community.id, name="Jardin")
            lent = lend(owner, self.cast, at=now)
            owner.commit()
        self.secrets = {who: self._secret(getattr(self.cast, who)) for who in ROLES}
        self.names = self._names(self.cast, lent)
        self.bodies = {who: self._sayable(getattr(self.cast, who)) for who in ROLES}
        self.document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", self.app)

    def _secret(self, person: Person) -> str:
        assert person.sign_in is not None
        with self.app.app_context(), transaction() as session:
            id_ = person.sign_in.id
            return members.create_access_token(session, sign_in=id_, name="essai", days=30, at=clock.now())[1]

    def _sayable(self, person: Person) -> dict[str, str]:
        """What a body of this person can truly say, by the name of the field."""
        next_year = clock.now().year + 1
        return self.names | {
            "party": person.party.token, "happened_on": f"{clock.now():%Y-%m-%d}", "category": "Jardin",
            "starts_at": f"{next_year}-03-02T10:00:00Z", "ends_at": f"{next_year}-03-02T11:00:00Z",
        }  # fmt: skip

    def _names(self, cast: Cast, lent: Any) -> dict[str, str]:
        client, told = self.app.test_client(), {"Authorization": f"Bearer {self.secrets['alice']}"}
        me = client.get("/api/v1/me", headers=told).json
        account = me["accounts"][0]["id"]
        names = {
            "account": account, "community": me["communities"][0]["id"], "party": cast.bruno.party.token,
            "other": cast.bruno.party.token, "lender": cast.town.token, "resource": lent.hall.token,
        }  # fmt: skip
        made = {
            f"accounts/{account}/declarations": {
                "direction": "given", "other": names["other"], "minutes": 5, "happened_on": f"{clock.now():%Y-%m-%d}",
                "description": "Haie",
            },
            f"accounts/{account}/adverts": {"kind": "offer", "category": "Jardin", "title": "Haies"},
            "bookings": {
                "party": me["parties"][0]["id"], "items": [{"resource": lent.drill.token}], "purpose": "Étagères",
                "starts_at": f"{clock.now().year + 1}-03-01T10:00:00Z",
                "ends_at": f"{clock.now().year + 1}-03-01T11:00:00Z",
            },
        }  # fmt: skip
        for path, body in made.items():
            answer = client.post(f"/api/v1/{path}", json=body, headers={**told, "Idempotency-Key": path[-12:]})
            assert answer.status_code == 201, answer.text
            names[path.rpartition("/")[2].removesuffix("s")] = answer.json["id"]
        return names


@pytest.fixture(scope="module")
def ground(postgres: Any) -> Iterator[Ground]:
    database = postgres.copy()
    made = Ground(database)
    yield made
    with made.app.app_context():
        db.engine.dispose()
    postgres.drop(database)


def mended(body: Any, names: dict[str, str]) -> Any:
    """The body with real identifiers where it has some."""
    if isinstance(body, list):
        return [mended(inner, names) for inner in body]
    if not isinstance(body, dict):
        return body
    return {
        name: names[name] if name in names and isinstance(value, str) else mended(value, names)
        for name, value in body.items()
    }


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("mode", schemathesis.GenerationMode)
def test_whatever_is_asked_is_answered_as_the_document_says(ground: Ground, who: str, mode: Mode) -> None:
    operations = [found.ok() for found in ground.document.get_all_operations()]
    assert sum(asked(ground, operation, who, mode) for operation in operations) >= 30


def test_a_field_that_takes_anything_is_noticed(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: one field less strict than the document, and a wrong value is taken for a right one."""
    monkeypatch.setattr(Count, "_deserialize", lambda *_given, **_more: 7)
    operation = ground.document["/api/v1/lenders/{lender}/resources/{resource}/publication"]["POST"]
    with pytest.raises(FailureGroup) as noticed:
        asked(ground, operation, "olga", Mode.NEGATIVE, examples=600)
    assert {type(failure) for failure in noticed.value.exceptions} == {AcceptedNegativeData}


def asked(ground: Ground, operation: Any, who: str, mode: Mode, *, examples: int = EXAMPLES) -> int:
    """Ask one operation several times, checking each answer; return how many requests were made."""
    headers = {"Authorization": f"Bearer {ground.secrets[who]}"}
    cases = _cases(operation, mode, ground.names, headers)
    made = 0

    @given(case=cases, with_names=st.booleans())
    @settings(
        max_examples=examples, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case: Any, with_names: bool) -> None:
        nonlocal made
        made += 1
        if with_names and isinstance(case.body, dict):
            case.body = mended(case.body, ground.bodies[who])
        case.call_and_validate(checks=CHECKS, headers=headers)

    if cases is not None:
        ask()
    return made


def _cases(operation: Any, mode: Mode, names: dict[str, str], headers: dict[str, str]) -> Any:
    """Requests of one operation, some with real names in their address; None when nothing of it can be wrong."""
    real = {one.definition["name"]: names.get(one.definition["name"], "none") for one in operation.path_parameters}
    besides = mode.is_positive or len(operation.query) or len(operation.body)
    cases = [operation.as_strategy(mode, headers=headers)] if real or besides else []
    if real and besides:
        cases += 2 * [operation.as_strategy(mode, path_parameters=real, headers=headers)]
    return st.one_of(cases) if cases else None
