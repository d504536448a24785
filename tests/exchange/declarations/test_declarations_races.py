"""T7 over HTTP, and two answers at the same moment: real threads, real connections, committed transactions."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from exchange import clock
from exchange.declarations import operations
from exchange.declarations.models import Declaration
from ledger.errors import Refused
from tests.cast import NOON, Cast, Person, committed, sign_in
from tests.databases import Database
from tests.exchange.declarations.test_declarations_operations import said as an_exchange
from tests.ledger.racing import RACERS, Track, counted

pytestmark = pytest.mark.race


@pytest.fixture
def served(database: Database) -> Flask:
    pool = {"pool_size": RACERS, "connect_args": {"options": "-c timezone=UTC"}}
    return database.app(
        WTF_CSRF_ENABLED=False, SESSION_COOKIE_SECURE=False, PREFERRED_URL_SCHEME="http", SQLALCHEMY_ENGINE_OPTIONS=pool
    )


@pytest.fixture
def cast(served: Flask) -> Cast:
    return committed(served, at=clock.now())


def form(cast: Cast, **changed: str) -> dict[str, str]:
    today = clock.local_date(clock.now(), "Europe/Paris")
    return {
        "direction": "received", "other": cast.alice.party.token, "minutes": "1h30", "happened_on": today.isoformat(),
        "nature": "service", "description": "Couture", "slip": "", "key": "one-key", **changed,
    }  # fmt: skip


def address(person: Person) -> str:
    assert person.account is not None
    return f"/comptes/{person.account.token}/declarations"


def browsers(served: Flask, person: Person, number: int) -> list[FlaskClient]:
    """As many tabs of one signed-in browser."""
    first = sign_in(served.test_client(), person)
    cookie = first.get_cookie("session")
    assert cookie is not None
    tabs = [served.test_client() for _ in range(number)]
    for tab in tabs:
        tab.set_cookie("session", cookie.value)
    return tabs


def together(acts: list[Callable[[], tuple[int, str | None]]]) -> Counter[tuple[int, str | None]]:
    """What all got that asked at the same moment: status and address."""
    barrier, got = threading.Barrier(len(acts)), []

    def ask(act: Callable[[], tuple[int, str | None]]) -> None:
        barrier.wait()
        got.append(act())

    threads = [threading.Thread(target=ask, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(got)


def rows(database: Database) -> tuple[int, ...]:
    with database.connected() as web:
        found = web.execute(
            "SELECT (SELECT count(*) FROM declarations), (SELECT count(*) FROM books.entries),"
            " (SELECT count(*) FROM outbox)"
        ).fetchone()
    assert found is not None
    return tuple(found)


def posting(tab: FlaskClient, where: str, data: dict[str, str]) -> Callable[[], tuple[int, str | None]]:
    def post() -> tuple[int, str | None]:
        answer = tab.post(where, data=data)
        return answer.status_code, answer.location

    return post


def test_thirty_two_times_the_same_form_is_one_exchange_and_one_answer(
    served: Flask, cast: Cast, database: Database
) -> None:
    tabs = browsers(served, cast.bruno, RACERS)
    got = together([posting(tab, address(cast.bruno), form(cast)) for tab in tabs])
    [(status, location)] = got
    assert (status, got[status, location]) == (303, RACERS)
    assert rows(database) == (1, 1, 1)


def test_of_two_contents_under_one_key_one_is_written_and_the_other_told(
    served: Flask, cast: Cast, database: Database
) -> None:
    tabs = browsers(served, cast.bruno, 8)
    contents = [form(cast, minutes="1h30"), form(cast, minutes="2h")]
    got = together([posting(tab, address(cast.bruno), contents[n % 2]) for n, tab in enumerate(tabs)])
    assert Counter(dict.fromkeys((303, 409), 4)) == Counter(status for status, _ in got.elements())
    assert rows(database) == (1, 1, 1)


def test_thirty_two_confirmations_move_the_minutes_once(served: Flask, cast: Cast, database: Database) -> None:
    alice = sign_in(served.test_client(), cast.alice)
    said = alice.post(address(cast.alice), data=form(cast, direction="given", other=cast.bruno.party.token))
    declaration = "/declarations/" + said.location.partition("fait=")[2]
    tabs = browsers(served, cast.bruno, RACERS)
    got = together([posting(tab, f"{declaration}/confirmation", {}) for tab in tabs])
    assert got == {(303, declaration): RACERS}
    assert rows(database)[:2] == (1, 1)


def test_of_all_who_answer_withdraw_and_expire_at_once_one_does(database: Database, served: Flask) -> None:
    cast = committed(served, at=NOON)
    payer = cast.bruno.party.id
    with Track(database) as track:
        for turn in range(20):
            with track.make() as session:
                declaration = operations.declare(
                    session, an_exchange(cast.alice, cast.bruno, 10, description=f"{turn}"), answer_days=30,
                    today=NOON.date(), by=cast.alice.by, at=NOON,
                )  # fmt: skip
                session.commit()
                number, late = declaration.id, declaration.answer_before

            def confirm(session: Session, number: int = number) -> str:
                waiting = session.get_one(Declaration, number)
                operations.confirm(session, waiting, payer_party=payer, by=cast.bruno.by, at=NOON)
                return "confirmed"

            def refuse(session: Session, number: int = number) -> str:
                waiting = session.get_one(Declaration, number)
                operations.refuse(session, waiting, payer_party=payer, reason="Non", by=cast.bruno.by, at=NOON)
                return "refused"

            def withdraw(session: Session, number: int = number) -> str:
                waiting = session.get_one(Declaration, number)
                operations.withdraw(session, waiting, giver_party=cast.alice.party.id, by=cast.alice.by, at=NOON)
                return "withdrawn"

            def expire(session: Session, late: object = late) -> int:
                return operations.expire(session, by=cast.system, community=cast.community.id, at=late)

            results = track.race([confirm, refuse, withdraw, expire] * 4)
            assert all(isinstance(result, Refused | str | int) for result in results), counted(results)
            answers = [1 if isinstance(result, str) else result for result in results if isinstance(result, str | int)]
            assert sum(answers) == 1
    with database.connected() as web:
        agree = web.execute(
            "SELECT count(*), count(*) FILTER (WHERE answer = 'confirmed'), (SELECT count(*) FROM books.entries)"
            " FROM declaration_answers"
        ).fetchone()
    assert agree is not None
    assert agree[0] == 20
    assert agree[1] == agree[2]


class Quiet(WSGIRequestHandler):
    """Says nothing of each request, nor of somebody who left."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Nothing."""


@pytest.fixture
def port(served: Flask) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, served, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_who_leaves_before_the_answer_finds_it_when_they_come_back(
    served: Flask, cast: Cast, database: Database, port: int
) -> None:
    browser = sign_in(served.test_client(), cast.bruno)
    cookie = browser.get_cookie("session")
    assert cookie is not None
    body = urlencode(form(cast)).encode()
    head = (
        f"POST {address(cast.bruno)} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: session={cookie.value}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head.encode() + body)  # and the line is cut before a word comes back
    wait_until(lambda: rows(database)[0] == 1)
    again = browser.post(address(cast.bruno), data=form(cast))
    assert again.status_code == 303
    assert "fait=" in again.location
    assert rows(database) == (1, 1, 1)


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)
