"""The cast, what is lent to it, and a program that holds somebody's access token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from flask import Flask
from freezegun import freeze_time
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from exchange.adverts import operations as adverts
from exchange.members import operations as members
from tests.cast import NOON, Cast, Person, gather
from tests.databases import as_owner
from tests.lent import Lent, lend

JSON = dict[str, Any]
_keys = count(1)


@pytest.fixture(autouse=True)
def _saturday_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def cast(session: Session) -> Cast:
    with as_owner(session):
        gathered = gather(session)
        adverts.add_category(session, community=gathered.community.id, name="Jardin")
    return gathered


@pytest.fixture
def lent(session: Session, cast: Cast) -> Lent:
    return lend(session, cast)


class Program:
    """A program with an access token, or without: each POST carries a key of its own unless one is given."""

    def __init__(self, app: Flask, secret: str | None) -> None:
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(f"/api/v1{path}", query_string=query, headers=self.headers)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **more: Any) -> TestResponse:
        headers = {**self.headers, "Idempotency-Key": key or f"key-{next(_keys)}"}
        if body is not None:
            more["json"] = body
        return self.client.post(f"/api/v1{path}", headers=headers, **more)

    def read(self, path: str, **query: Any) -> JSON:
        """What is read, successfully."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        found: JSON = answer.json
        return found

    def do(self, path: str, body: Any = None, *, key: str | None = None) -> JSON:
        """What is answered to a POST that succeeds."""
        answer = self.post(path, body, key=key)
        assert answer.status_code in (200, 201), answer.text
        found: JSON = answer.json
        return found


Held = Callable[[Person], Program]


@pytest.fixture
def held_by(app: Flask, session: Session) -> Held:
    """The program of a person of the cast."""

    def make(person: Person) -> Program:
        assert person.sign_in is not None
        _row, secret = members.create_access_token(session, sign_in=person.sign_in.id, name="essai", days=30, at=NOON)
        return Program(app, secret)

    return make


@pytest.fixture
def alice(held_by: Held, cast: Cast) -> Program:
    return held_by(cast.alice)


@pytest.fixture
def bruno(held_by: Held, cast: Cast) -> Program:
    return held_by(cast.bruno)


@pytest.fixture
def olga(held_by: Held, cast: Cast) -> Program:
    return held_by(cast.olga)


@pytest.fixture
def gardening(cast: Cast) -> JSON:
    """Alice was helped in her garden by Bruno."""
    return {
        "direction": "received", "other": cast.bruno.party.token, "minutes": 90, "happened_on": "2026-11-20",
        "description": "Tailler la haie",
    }  # fmt: skip


def account_of(person: Person) -> str:
    """The address of a person's account."""
    assert person.account is not None
    return f"/accounts/{person.account.token}"


def refusal(answer: TestResponse) -> tuple[int, str]:
    """The status of a problem document and the rule that its type names."""
    assert answer.mimetype == "application/problem+json", answer.text
    assert answer.json["status"] == answer.status_code
    return answer.status_code, answer.json["type"].partition("#")[2]


@pytest.fixture
def officer_of_club(held_by: Held, session: Session, cast: Cast) -> Program:
    """Chloé lends what belongs to the club."""
    assert cast.chloe.sign_in is not None
    members.grant(session, sign_in=cast.chloe.sign_in.id, party=cast.club.id, role="officer", starts_on=NOON.date(),
                  granted_by=None, at=NOON)  # fmt: skip
    return held_by(cast.chloe)
