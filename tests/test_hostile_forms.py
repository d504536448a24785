"""T17 in short form for the pages: every form and every query string, filled by somebody who means harm.

Whatever is sent, and by whom, the answer is a page: never a fault of ours, never something half-written, and a form
that is refused shows again what was typed. MARRONNIER_FULL=1 sends ten times more, other things each time;
MARRONNIER_SEED sends the same things again: its number is told with what fails.
"""

from __future__ import annotations

import os
import random
import unicodedata
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.databases import Postgres
from tests.forms import EVERYTHING, FORMS, ROLES, Ground, Sent, ground_of
from tests.hostile import BADLY, Controls, Hostile, forms, queries
from tests.test_every_form import allowed, called, readers
from tests.test_every_route import MAY, PAGES

FULL = bool(os.environ.get("MARRONNIER_FULL"))
SEED = int(os.environ.get("MARRONNIER_SEED") or (random.SystemRandom().randrange(10**9) if FULL else 17))
OFTEN, SELDOM = (100, 20) if FULL else (10, 2)  # by who may send a form, and by everybody else
pytestmark = pytest.mark.campaign
REFUSED = {403, 404, 409, 413, 415, 422, 429}


@pytest.fixture(scope="module")
def ground(postgres: Postgres) -> Iterator[Ground]:
    print(f"seed {SEED}")
    database = postgres.copy()
    with ground_of(database) as made:
        yield made
    postgres.drop(database)


def try_often(requests: st.SearchStrategy[Any], examples: int, try_it: Callable[[Any], None]) -> None:
    """Try so many requests, the same ones each time for one seed."""
    tried = 0

    @seed(SEED)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(request=requests)
    def one(request: Any) -> None:
        nonlocal tried
        tried += 1
        try_it(request)

    one()
    assert tried >= examples / 2


@pytest.mark.parametrize("sent", FORMS, ids=called)
def test_no_form_is_broken_by_what_it_is_sent(sent: Sent, ground: Ground) -> None:
    says, known, path = ground.says(sent), sorted(ground.names.values()), ground.address(sent.endpoint, sent.at)
    with ground.undone():
        before = ground.state()

    def try_it(who: str | None, form: Hostile) -> None:
        note(f"seed {SEED}, {who} on {path}: {form}")
        with ground.undone():
            answer = ground.ask(who, "POST", path, data=form.body, content_type=form.content_type)
            note(f"{answer.status_code}")
            assert answer.status_code in REFUSED | {sent.status, 303, 200}, answer.text
            if answer.status_code in REFUSED:
                assert ground.state() == before
        if answer.status_code == 422:
            seen = all(says[name] == value for name, value in form.pairs if name in sent.narrows)
            lost = forgotten(form, answer, says.keys() - sent.unshown) if seen else {}
            assert lost == {}, lost

    for who in dict.fromkeys((*ROLES, sent.who)):
        try_often(forms(says, known), OFTEN if who in readers(sent) else SELDOM, partial(try_it, who))


@pytest.mark.parametrize("who", [None, "alice"])
def test_a_body_of_another_kind_is_refused_before_anybody_is_looked_for_in_it(who: str | None, ground: Ground) -> None:
    for content_type, said, _whole in BADLY:
        with ground.undone():
            answer = ground.ask(who, "POST", "/moi/langue", data=said([("language", "en")]), content_type=content_type)
        assert answer.status_code in {303, 413, 422}, (content_type, answer.text)


def forgotten(form: Hostile, answer: TestResponse, says: Collection[str]) -> dict[str, object]:
    """What was typed, can be written on a page, and isn't there any more."""
    page, lost = Controls(answer.text), {}
    said = [str(name) for name, _value in form.pairs]
    for name, value in form.pairs if form.whole else []:
        kind = page.kinds.get(str(name))
        if said.count(str(name)) > 1 or not isinstance(value, str) or not _writable(value):
            continue
        if name not in says or kind in ("hidden", "password", "file"):
            continue
        if kind in ("checkbox", "radio", "select") and (value not in page.offered[str(name)] or not value):
            continue
        if " ".join(value.split()) not in [" ".join(shown.split()) for shown in page.shown.get(str(name), [])]:
            lost[str(name)] = (kind, value, page.shown.get(str(name)))
    return lost


def _writable(text: str) -> bool:
    return not any(unicodedata.category(sign) in {"Cc", "Cs", "Cf"} for sign in text)


@pytest.mark.parametrize("endpoint", [page for page in PAGES if not page.startswith("api")])
def test_no_page_is_broken_by_its_query_string(endpoint: str, ground: Ground) -> None:
    known, path = sorted(ground.names.values()), ground.address(endpoint, {})
    names: set[str] = set()
    with ground.undone():
        before = ground.state()
        for who in ROLES:
            ground.ask(who, "GET", path)
            names |= ground.asked
    names.discard(EVERYTHING)

    def try_it(who: str | None, query: bytes) -> None:
        note(f"seed {SEED}, {who} on {path}?{query!r}")
        answer = ground.ask(who, "GET", path, query_string=query.decode())
        assert answer.status_code in REFUSED | {200, 303}, answer.text

    with ground.undone():
        for who in ROLES:
            often = names and who in allowed(MAY[endpoint])
            try_often(queries(sorted(names), known), OFTEN if often else SELDOM, partial(try_it, who))
        assert ground.state() == before
