"""Every form of the site, as each person sends it: accepted by somebody, and reading exactly what it names (T19)."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from exchange.forms import Whole
from exchange.members.forms import ProfileForm
from tests.databases import Postgres
from tests.forms import FORMS, PEOPLE, File, Ground, Sent, State, ground_of
from tests.hostile import Controls
from tests.test_every_route import EVERYBODY, MAY, ROUTES, SIGNED_IN


def called(sent: Sent) -> str:
    """The name of a form among the tests."""
    return "-".join([sent.endpoint, *sent.at.values()])


every_form = pytest.mark.parametrize("sent", FORMS, ids=called)


@pytest.fixture(scope="module")
def ground(postgres: Postgres) -> Iterator[Ground]:
    database = postgres.copy()
    with ground_of(database) as made:
        yield made
    postgres.drop(database)


def send(ground: Ground, sent: Sent, who: str | None, more: dict[str, Any] | None = None) -> TestResponse:
    """The form as it is accepted, and perhaps more than it reads."""
    says = ground.says(sent) | (more or {})
    data = {name: _file(value) if isinstance(value, File) else value for name, value in says.items()}
    return ground.ask(who, "POST", ground.address(sent.endpoint, sent.at), data=data)


def _file(file: File) -> tuple[BytesIO, str]:
    return BytesIO(file.content), file.name


def test_every_form_is_in_the_table() -> None:
    forms = {endpoint for endpoint, method in ROUTES if method == "POST" and not endpoint.startswith("api")}
    named = {sent.endpoint for sent in FORMS}
    assert forms - named == set(), "not in the table"
    assert named - forms == set(), "gone from the service"


@every_form
def test_every_form_is_accepted_from_somebody(sent: Sent, ground: Ground) -> None:
    with ground.undone():
        before = ground.state()
        answer = send(ground, sent, sent.who)
        assert answer.status_code == sent.status, answer.text
        assert (ground.state() != before) is sent.writes


WITHOUT_ITS_KEY = [
    sent._replace(says={name: value for name, value in sent.says.items() if name != "key"})
    for sent in FORMS if "key" in sent.says
]  # fmt: skip


@pytest.mark.parametrize("keyless", WITHOUT_ITS_KEY, ids=called)
def test_a_form_that_writes_once_is_refused_without_its_key_and_keeps_what_was_typed(
    keyless: Sent, ground: Ground
) -> None:
    with ground.undone():
        before = ground.state()
        answer = send(ground, keyless, keyless.who)
        assert answer.status_code == 422, answer.text
        assert "Ce formulaire était incomplet\u00a0: vérifiez-le et envoyez-le de nouveau." in answer.text
        assert ground.state() == before
    page = Controls(answer.text)
    assert all(page.shown["key"])
    for name, typed in ground.says(keyless).items():
        if page.kinds.get(name) not in (None, "hidden", "file"):
            shown = {value.strip() for value in page.shown.get(name, [])}  # a text area begins with an empty line
            assert set(typed if isinstance(typed, list) else [typed]) <= shown, name


# -- what a form reads (T19)


def readers(sent: Sent) -> set[str | None]:
    """Who a form is read for."""
    return allowed(MAY[sent.endpoint]) if sent.readers is None else set(sent.readers)


def allowed(who: str | set[str] | list[str]) -> set[str | None]:
    """Who an address is for."""
    if who == EVERYBODY:
        return {None, *PEOPLE}
    return set(PEOPLE) if who == SIGNED_IN else set(who)


@every_form
def test_a_form_reads_exactly_what_it_names_for_who_may_send_it(sent: Sent, ground: Ground) -> None:
    expected = {who: ground.reads(sent) if who in readers(sent) else set() for who in (None, *PEOPLE)}
    read = {}
    for who in expected:
        with ground.undone():
            send(ground, sent, who)
            read[who] = ground.read
    assert read == expected


INTRUDERS = (
    "community_id", "community", "account", "account_id", "balance", "minutes", "role", "roles", "mandate",
    "by_party", "by_sign_in", "by_mandate", "party_id", "state", "status", "id", "token", "active", "password_hash",
    "fs_uniquifier", "answer_before", "answer_days", "at", "acted_at", "capacities", "lender", "lender_id", "seq",
    "is_admin", "form_errors", "meta", "data", "csrf", "__class__", "_fields",
)  # fmt: skip


@every_form
def test_what_a_form_does_not_name_changes_nothing(sent: Sent, ground: Ground) -> None:
    columns = ground.columns()
    assert {"by_party", "community_id", "minutes", "floor"} <= columns
    names = (columns | set(INTRUDERS)) - ground.reads(sent)
    for value in ("1", ground.names["zoe"]):
        plain, more = (_written(ground, sent, given) for given in ({}, dict.fromkeys(names, value)))
        assert more == plain


def _written(ground: Ground, sent: Sent, more: dict[str, str]) -> tuple[int, State]:
    with ground.undone(renumbered=True):
        answer = send(ground, sent, sent.who, more)
        return answer.status_code, ground.state()


def test_a_field_more_is_noticed(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a form that gains a field, and one whose value is another."""
    sent = next(each for each in FORMS if each.endpoint == "members.edit")
    plain = _written(ground, sent, {})
    assert _written(ground, sent, {"area": "La gare"}) != plain
    monkeypatch.setattr(ProfileForm, "balance", Whole("Solde"), raising=False)
    with ground.undone():
        send(ground, sent, sent.who)
    assert ground.read - ground.reads(sent) == {"balance"}
