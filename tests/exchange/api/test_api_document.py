"""The document says exactly what comes in and what goes out, and each person sees only what they may (T19)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from exchange.agreements import operations as agreements
from exchange.agreements import telling as papers
from exchange.bookings import queries as loans
from exchange.bookings import wishes
from exchange.charters import operations as charters
from exchange.circuits import operations as circuits
from exchange.documents import operations as documents
from exchange.pictures import operations as pictures
from tests.cast import NOON, Cast
from tests.exchange.api.conftest import JSON, Held, Program, account_of
from tests.lent import Lent
from tests.papers import CERTIFICATE
from tests.photos import PHOTO

METHODS = ("get", "post")
BALANCES = {"balance", "held", "available", "floor", "ceiling"}

RHYTHM = {
    "party", "items", "every", "first", "until", "weekdays", "starts", "ends", "without_school_holidays",
    "without_public_holidays", "people",
}  # fmt: skip
FACTS = {
    "name", "category", "description", "conditions", "capacity", "quantity", "opening_hours", "buffer_minutes",
    "notice_hours", "ahead_days", "least_minutes", "most_minutes", "lent_from", "lent_until", "slots", "decided_by",
    "reserved", "option_days", "option_call_days", "turn_hours", "value_cents", "photo_address", "inventory_number",
    "place",
}  # fmt: skip
CLOSING = {"starts_at", "ends_at", "quantity"}
# what each body may say: nothing about whose row it is, who types it, when, or in which community
TAKEN = {
    "POST /accounts/{account}/adverts": {"kind", "nature", "category", "title", "text"},
    "POST /accounts/{account}/declarations": {
        "direction", "other", "minutes", "happened_on", "nature", "description", "slip",
    },
    "POST /adverts/{advert}/closure": set(),
    "POST /adverts/{advert}/messages": {"party", "text"},
    "POST /bookings": {"party", "items", "starts_at", "ends_at", "people", "purpose"},
    "POST /bookings/{booking}/agreement/acceptance": {"digest"},
    "POST /bookings/{booking}/cancellation": {"reason"},
    "POST /bookings/{booking}/change": {"items", "starts_at", "ends_at", "people", "purpose"},
    "POST /bookings/{booking}/confirmation": set(),
    "POST /bookings/{booking}/release": set(),
    "POST /options": {"party", "items", "starts_at", "ends_at", "people", "purpose"},
    "POST /waiting-list": {"party", "items", "starts_at", "ends_at", "people", "purpose"},
    "POST /waiting-list/{wish}/acceptance": set(),
    "POST /waiting-list/{wish}/departure": set(),
    "POST /waiting-list/{wish}/refusal": set(),
    "POST /charters/{charter}/acceptance": {"party"},
    "POST /lenders/{lender}/bookings/{booking}/opinion": {"favourable", "text"},
    "POST /documents": {"party", "kind", "valid_until", "files"},
    "POST /lenders/{lender}/bookings/{booking}/documents/{document_kind}/verification": {"document"},
    "POST /lenders/{lender}/bookings/{booking}/documents/{document_kind}/refusal": {"document", "reason"},
    "POST /lenders/{lender}/bookings/{booking}/documents/{document_kind}/paper": {"valid_until"},
    "POST /bookings/{booking}/consent": set(),
    "POST /bookings/{booking}/dismissal": set(),
    "POST /declarations/{declaration}/confirmation": set(),
    "POST /declarations/{declaration}/refusal": {"reason"},
    "POST /declarations/{declaration}/withdrawal": set(),
    "POST /feeds": {"party", "of"},
    "POST /feeds/{feed}/end": set(),
    "POST /feeds/{feed}/renewal": set(),
    "POST /lenders/{lender}/bookings/{booking}/decision": {"verdict", "ground", "text"},
    "POST /bookings/{booking}/attendance": {"people"},
    "POST /bookings/{booking}/extension": {"until", "reason"},
    "POST /lenders/{lender}/bookings/{booking}/attendance": {"people"},
    "POST /lenders/{lender}/bookings/{booking}/extension": {"until", "reason"},
    "POST /lenders/{lender}/bookings/{booking}/extension/decision": {"verdict", "text"},
    "POST /lenders/{lender}/bookings/{booking}/hand-over": {"remarks", "items", "keys"},
    "POST /lenders/{lender}/bookings/{booking}/no-show": {"remarks"},
    "POST /lenders/{lender}/bookings/{booking}/return": {"remarks", "items", "keys", "lost_keys"},
    "POST /lenders/{lender}/authorisations/{authorisation}/end": set(),
    "POST /lenders/{lender}/bookings/{booking}/offer": {"items", "starts_at", "ends_at", "word"},
    "POST /lenders/{lender}/bookings/{booking}/offer/withdrawal": set(),
    "POST /lenders/{lender}/bookings/{booking}/revocation": {"ground", "text"},
    "POST /lenders/{lender}/closures/{closure}/end": set(),
    "POST /lenders/{lender}/places": {
        "name", "address", "postcode", "town", "erp_category", "access", "access_note",
    },
    "POST /lenders/{lender}/resources": FACTS | {"kind"},
    "POST /lenders/{lender}/resources/{resource}/authorisations": {"party", "until"},
    "POST /lenders/{lender}/resources/{resource}/closures": CLOSING | {"kind", "reason"},
    "POST /lenders/{lender}/resources/{resource}/closures/quotes": CLOSING,
    "POST /lenders/{lender}/resources/{resource}/edition": FACTS,
    "POST /lenders/{lender}/resources/{resource}/restoration": set(),
    "POST /lenders/{lender}/resources/{resource}/retirement": set(),
    "POST /lenders/{lender}/resources/{resource}/withdrawal": set(),
    "POST /lenders/{lender}/things": {"name", "description", "quantity"},
    "POST /lenders/{lender}/resources/{resource}/publication": {"capacity"},
    "POST /lenders/{lender}/series/{series}/decision": {"verdict", "ground", "text"},
    "POST /quotes": {"party", "items", "starts_at", "ends_at", "people"},
    "POST /series": RHYTHM | {"leave_out", "purpose"},
    "POST /series/quotes": RHYTHM,
    "POST /series/{series}/cancellation": {"reason"},
    "POST /threads/{thread}/messages": {"text"},
}  # fmt: skip

LOAN = {
    "id", "state", "lender", "party", "items", "starts_at", "ends_at", "wanted_until", "purpose", "people",
    "people_came", "minutes", "community", "deposit_cents", "fee_cents", "changes", "replaces", "word", "asked_at",
    "answer_before", "held_until", "option", "decided_at", "ground", "text", "cancelled_at", "handed_over_at",
    "returned_at", "no_show_at",
}  # fmt: skip
RESOURCE = {
    "id", "kind", "name", "lender", "category", "description", "conditions", "capacity", "quantity", "opening_hours",
    "decided_by", "reserved", "option_days", "option_call_days", "turn_hours", "slots", "place",
    "notice_hours", "ahead_days", "least_minutes", "most_minutes", "lent_from", "lent_until",
}  # fmt: skip
ADVERT = {
    "id", "community", "author", "kind", "nature", "category", "title", "text", "published_at", "closed_at",
}  # fmt: skip
DECLARATION = {
    "id", "state", "community", "giver", "receiver", "minutes", "happened_on", "nature", "description", "slip",
    "declared_at", "answer_before", "answered_at", "reason",
}  # fmt: skip
FEED = {"id", "party", "of", "opened_at"}
CHARTER = {"id", "lender", "title", "text", "asked", "written_at"}
AGREEMENT = {
    "id", "number", "state", "turn", "lender", "party", "title", "text", "digest", "made_at", "acceptances",
}  # fmt: skip
DOCUMENT = {
    "id", "kind", "name", "party", "source", "valid_until", "given_at", "pages", "verified", "refused", "reason",
}  # fmt: skip
MANY_DAYS = {"id", "lender", "party", "asked_at", "bookings"}
KEPT = RESOURCE | {"status", "value_cents", "photo_address", "inventory_number", "buffer_minutes"}
PLACE = {
    "id", "name", "address", "postcode", "town", "latitude", "longitude", "access", "access_note", "erp_type",
    "erp_category", "legal_min", "legal_max",
}  # fmt: skip
CLOSURE = {
    "id", "resource", "kind", "reason", "quantity", "starts_at", "ends_at", "closed_at", "lifted_at",
}  # fmt: skip
WAITED = {
    "id", "lender", "party", "items", "starts_at", "ends_at", "purpose", "people", "joined_at", "before", "booking",
    "held_until", "outcome", "detail",
}  # fmt: skip
AUTHORISATION = {"id", "party", "until", "given_at", "given_by"}
ACCOUNT = {"id", "kind", "party", "community", *BALANCES, "closed_at"}
THREAD = {"id", "title", "me", "other", "advert", "messages"}
LINE = {
    "number", "kind", "happened_on", "recorded_at", "minutes", "balance", "other", "declaration", "description",
    "corrects", "corrected", "typed_by",
}  # fmt: skip

# what each answer tells, or each item of a list
GIVEN = {
    "GET /me": {"user_name", "language", "parties", "mandates", "communities", "accounts"},
    "GET /communities/{community}/members": {"party", "area"},
    "GET /communities/{community}/members/{party}": {"party", "about", "area", "phone", "email"},
    "GET /accounts/{account}": ACCOUNT,
    "GET /accounts/{account}/statement": LINE,
    "GET /accounts/{account}/declarations": DECLARATION,
    "POST /accounts/{account}/declarations": DECLARATION,
    "GET /declarations/{declaration}": DECLARATION,
    "POST /declarations/{declaration}/confirmation": DECLARATION,
    "POST /declarations/{declaration}/refusal": DECLARATION,
    "POST /declarations/{declaration}/withdrawal": DECLARATION,
    "GET /communities/{community}/categories": set(),
    "GET /communities/{community}/adverts": ADVERT,
    "GET /adverts/{advert}": ADVERT,
    "POST /accounts/{account}/adverts": ADVERT,
    "POST /adverts/{advert}/closure": ADVERT,
    "POST /adverts/{advert}/messages": THREAD,
    "GET /threads": {"id", "title", "me", "other", "text", "mine", "sent_at"},
    "GET /threads/{thread}": THREAD,
    "POST /threads/{thread}/messages": THREAD,
    "GET /resources": RESOURCE | {"beside", "minutes", "community", "metres"},
    "GET /resources/{resource}": RESOURCE,
    "GET /resources/{resource}/availability": {"open", "free", "left", "taken"},
    "GET /resources/{resource}/feed": {"address"},
    "GET /feeds": FEED | {"address"},
    "GET /feeds/{feed}": FEED | {"address"},
    "POST /feeds": FEED,
    "POST /feeds/{feed}/renewal": FEED,
    "POST /feeds/{feed}/end": FEED,
    "GET /resources/{resource}/pictures": {"words", "large", "small", "miniature", "width", "height"},
    "POST /quotes": {"allowed", "minutes", "community", "deposit_cents", "fee_cents", "items", "findings"},
    "POST /series/quotes": {"days"},
    "POST /series": MANY_DAYS,
    "GET /series/{series}": MANY_DAYS,
    "POST /series/{series}/cancellation": MANY_DAYS,
    "GET /lenders/{lender}/series/{series}": MANY_DAYS,
    "POST /lenders/{lender}/series/{series}/decision": MANY_DAYS,
    "POST /bookings": LOAN | {"findings", "typed_by"},
    "GET /bookings": LOAN | {"findings", "typed_by"},
    "GET /lenders/{lender}/document-kinds": {
        "id", "name", "help", "expires", "verified", "classes", "categories",
    },
    "GET /documents": DOCUMENT,
    "POST /documents": DOCUMENT,
    "GET /documents/{document}": DOCUMENT | {"file"},
    "GET /bookings/{booking}/documents": {"complete_at", "items"},
    "GET /lenders/{lender}/bookings/{booking}/documents": {"complete_at", "items"},
    **{f"POST /lenders/{{lender}}/bookings/{{booking}}/documents/{{document_kind}}/{act}": {"complete_at", "items"}
       for act in ("verification", "refusal", "paper")},
    "GET /charters/{charter}": CHARTER,
    "POST /charters/{charter}/acceptance": CHARTER,
    "GET /bookings/{booking}/agreement": AGREEMENT,
    "POST /bookings/{booking}/agreement/acceptance": AGREEMENT,
    "GET /bookings/{booking}": LOAN | {"findings", "typed_by"},
    "POST /bookings/{booking}/cancellation": LOAN | {"findings", "typed_by"},
    "POST /bookings/{booking}/change": LOAN | {"findings", "typed_by"},
    "POST /options": LOAN | {"findings", "typed_by"},
    "POST /bookings/{booking}/confirmation": LOAN | {"findings", "typed_by"},
    "POST /bookings/{booking}/release": LOAN | {"findings", "typed_by"},
    "GET /waiting-list": WAITED,
    "POST /waiting-list": WAITED,
    "POST /waiting-list/{wish}/departure": WAITED,
    "POST /waiting-list/{wish}/acceptance": LOAN | {"findings", "typed_by"},
    "POST /waiting-list/{wish}/refusal": LOAN | {"findings", "typed_by"},
    "GET /lenders/{lender}/waiting-list": WAITED,
    "POST /bookings/{booking}/consent": LOAN | {"findings", "typed_by"},
    "POST /bookings/{booking}/dismissal": LOAN | {"findings", "typed_by"},
    "POST /lenders/{lender}/bookings/{booking}/offer": LOAN | {"checked", "contact", "steps"},
    "POST /lenders/{lender}/bookings/{booking}/offer/withdrawal": LOAN | {"checked", "contact", "steps"},
    "POST /lenders/{lender}/bookings/{booking}/revocation": LOAN | {"checked", "contact", "steps"},
    "GET /lenders/{lender}/reports/loans": {"year", "total", "borrowers"},
    "GET /lenders/{lender}/reports/use": {"resources", "classes"},
    "GET /lenders/{lender}/reports/refusals": {
        "booking", "act", "party", "class", "resources", "starts_at", "ends_at", "ground", "text", "asked_at",
        "decided_at", "decided_by",
    },
    "GET /lenders/{lender}/closures": CLOSURE,
    "GET /lenders/{lender}/closures/{closure}": CLOSURE | {"bookings"},
    "POST /lenders/{lender}/closures/{closure}/end": CLOSURE | {"bookings"},
    "POST /lenders/{lender}/resources/{resource}/closures": CLOSURE | {"bookings"},
    "POST /lenders/{lender}/resources/{resource}/closures/quotes": {"bookings"},
    "GET /lenders/{lender}/resources/{resource}/authorisations": AUTHORISATION,
    "POST /lenders/{lender}/resources/{resource}/authorisations": AUTHORISATION,
    "POST /lenders/{lender}/authorisations/{authorisation}/end": AUTHORISATION,
    "POST /lenders/{lender}/resources": KEPT,
    "POST /lenders/{lender}/resources/{resource}/edition": KEPT,
    "POST /lenders/{lender}/resources/{resource}/withdrawal": KEPT,
    "POST /lenders/{lender}/resources/{resource}/retirement": KEPT,
    "POST /lenders/{lender}/resources/{resource}/restoration": KEPT,
    "GET /lenders/{lender}/places": PLACE,
    "POST /lenders/{lender}/places": PLACE,
    "POST /lenders/{lender}/things": RESOURCE,
    "GET /lenders/{lender}/requests": LOAN | {"checked"},
    "GET /lenders/{lender}/loans": LOAN | {"checked"},
    "GET /lenders/{lender}/bookings/{booking}": LOAN | {"checked", "contact", "steps"},
    "POST /lenders/{lender}/bookings/{booking}/opinion": LOAN | {"checked", "contact", "steps"},
    "POST /lenders/{lender}/bookings/{booking}/decision": LOAN | {"checked", "contact", "steps"},
    "POST /bookings/{booking}/attendance": LOAN | {"findings", "typed_by"},
    "POST /bookings/{booking}/extension": {"booking", "granted", "until", "ends_at"},
    "POST /lenders/{lender}/bookings/{booking}/attendance": LOAN | {"checked", "contact", "steps"},
    "POST /lenders/{lender}/bookings/{booking}/extension": {"booking", "granted", "until", "ends_at"},
    "POST /lenders/{lender}/bookings/{booking}/extension/decision": {"booking", "granted", "until", "ends_at"},
    "POST /lenders/{lender}/bookings/{booking}/hand-over": LOAN | {"checked", "contact", "steps"},
    "POST /lenders/{lender}/bookings/{booking}/no-show": LOAN | {"checked", "contact", "steps"},
    "POST /lenders/{lender}/bookings/{booking}/return": LOAN | {"checked", "contact", "steps"},
    "GET /lenders/{lender}/resources": KEPT,
    "GET /lenders/{lender}/resources/{resource}": KEPT,
    "POST /lenders/{lender}/resources/{resource}/publication": KEPT,
}


@pytest.fixture
def document(client: FlaskClient) -> JSON:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    told: JSON = answer.json
    return told


def operations(document: JSON) -> Iterator[tuple[str, JSON]]:
    """Everything that can be asked, as "POST /bookings"."""
    for path, found in document["paths"].items():
        for method in METHODS:
            if method in found:
                yield f"{method.upper()} {path.removeprefix('/api/v1')}", found[method]


def body_of(operation: JSON) -> JSON:
    schema: JSON = operation["requestBody"]["content"]["application/json"]["schema"]
    return schema


def resolved(document: JSON, schema: JSON) -> JSON:
    found: JSON = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def test_what_each_body_may_say(document: JSON) -> None:
    taken = {
        name: set(resolved(document, body_of(operation)).get("properties", {}))
        for name, operation in operations(document) if "requestBody" in operation
    }  # fmt: skip
    assert taken == TAKEN


def test_every_object_is_closed(document: JSON) -> None:
    schemas = document["components"]["schemas"]
    assert [name for name, schema in schemas.items() if schema.get("additionalProperties") is not False] == []


def test_every_post_asks_for_a_key(document: JSON) -> None:
    for name, operation in operations(document):
        names = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "header"}
        assert names == ({"Idempotency-Key"} if name.startswith("POST") else set()), name


class Witness(Program):
    """A program that checks each success against the document, and remembers what was reached."""

    document: JSON
    reached: dict[str, JSON]

    def get(self, path: str, **query: Any) -> TestResponse:
        return self._seen("GET", path, super().get(path, **query))

    def post(self, path: str, body: Any = None, *, key: str | None = None, **more: Any) -> TestResponse:
        return self._seen("POST", path, super().post(path, body, key=key, **more))

    def _seen(self, method: str, path: str, answer: TestResponse) -> TestResponse:
        if answer.status_code < 300:
            name, operation = self._operation(method, path)
            schema = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
            validator = jsonschema_rs.Draft202012Validator({**schema, "components": self.document["components"]})
            assert [str(error) for error in validator.iter_errors(answer.json)] == []
            self.reached[name] = answer.json
        return answer

    def _operation(self, method: str, path: str) -> tuple[str, JSON]:
        said = path.split("/")
        for name, operation in operations(self.document):
            verb, _, rule = name.partition(" ")
            parts = rule.split("/")
            if verb == method and len(parts) == len(said) and all(
                part.startswith("{") or part == one for part, one in zip(parts, said, strict=True)
            ):
                return name, operation
        raise AssertionError(f"{method} {path} is not in the document")


@pytest.fixture
def witness(document: JSON, held_by: Held, app: Flask) -> Any:
    reached: dict[str, JSON] = {}

    def make(person: Any) -> Witness:
        made = Witness(app, None)
        made.headers, made.document, made.reached = held_by(person).headers, document, reached
        return made

    return make


def _documents(alice: Program, olga: Program, session: Session, cast: Cast, lent: Lent) -> None:
    """The drill is lent with a permit, which the town refuses, looks at, and sees on paper."""
    desk, party = f"/lenders/{cast.town.token}", cast.alice.party.token
    documents.write(session, documents.Wording("Permis", verified=True, resources=[lent.drill.id]), lender=cast.town.id,
                    by=cast.olga.by, at=NOON)  # fmt: skip
    [kind] = alice.read(f"{desk}/document-kinds")["items"]
    booking = alice.do("/bookings", {
        "party": party, "items": [{"resource": lent.drill.token}], "purpose": "Étagère",
        "starts_at": "2026-11-29T14:00:00+01:00", "ends_at": "2026-11-29T18:00:00+01:00",
    })  # fmt: skip
    paper = f"{desk}/bookings/{booking['id']}/documents"
    for act, more in (("refusal", {"reason": "Floue"}), ("verification", {})):
        given = alice.do("/documents", {"party": party, "kind": kind["id"], "valid_until": "2027-06-30",
                                        "files": [b64encode(CERTIFICATE).decode()]})  # fmt: skip
        alice.read(f"/documents/{given['id']}")
        olga.do(f"{paper}/{kind['id']}/{act}", {"document": given["id"]} | more)
    olga.do(f"{paper}/{kind['id']}/paper", {"valid_until": "2027-06-30"})
    assert [each["state"] for each in olga.read(paper)["items"]] == ["good"]
    alice.read(f"/bookings/{booking['id']}/documents")
    alice.read("/documents")


def test_every_route_answers_as_the_document_says(
    witness: Any, cast: Cast, lent: Lent, gardening: JSON, document: JSON, session: Session
) -> None:
    alice, bruno, olga = witness(cast.alice), witness(cast.bruno), witness(cast.olga)
    community = alice.read("/me")["communities"][0]["id"]
    alice.read(f"/communities/{community}/members")
    alice.read(f"/communities/{community}/members/{cast.bruno.party.token}")
    mine, others = account_of(cast.alice), account_of(cast.bruno)
    alice.do(f"{mine}/declarations", gardening)
    given = gardening | {"direction": "given", "other": cast.alice.party.token}
    for answer, body in (("confirmation", {}), ("refusal", {"reason": "Non."})):
        declared = bruno.do(f"{others}/declarations", given)
        alice.read(f"{mine}/declarations")
        alice.do(f"/declarations/{declared['id']}/{answer}", body)
        alice.read(f"/declarations/{declared['id']}")
    bruno.do(f"/declarations/{bruno.do(f'{others}/declarations', given)['id']}/withdrawal")
    alice.read(mine)
    alice.read(f"{mine}/statement")
    advert = alice.do(f"{mine}/adverts", {"kind": "offer", "category": "Jardin", "title": "Taille de haies"})
    alice.read(f"/communities/{community}/categories")
    alice.read(f"/communities/{community}/adverts")
    talk = bruno.do(f"/adverts/{advert['id']}/messages", {"party": cast.bruno.party.token, "text": "Demain ?"})
    alice.do(f"/threads/{talk['id']}/messages", {"text": "Oui."})
    alice.read("/threads")
    alice.read(f"/threads/{talk['id']}")
    alice.do(f"/adverts/{advert['id']}/closure")
    alice.read(f"/adverts/{advert['id']}")
    span = {"starts_at": "2026-11-27T18:00:00+01:00", "ends_at": "2026-11-27T22:00:00+01:00"}
    wanted = {"party": cast.alice.party.token, "items": [{"resource": lent.hall.token}], **span}
    alice.read("/resources", **span)
    alice.read(f"/resources/{lent.hall.token}")
    charter = charters.write(session, lender=cast.town.id, title="Charte", text="Propre", by=cast.olga.by, at=NOON)
    alice.read(f"/charters/{charter.token}")
    alice.do(f"/charters/{charter.token}/acceptance", {"party": cast.alice.party.token})
    alice.do("/quotes", wanted)
    _documents(alice, olga, session, cast, lent)
    with _two_steps(session, cast, lent):
        booking = alice.do("/bookings", wanted | {"purpose": "Fête"})
    alice.read(f"/resources/{lent.hall.token}/availability", **span)
    pictures.add(session, lent.hall.id, lender=cast.town.id, data=PHOTO, words="La scène", by=cast.olga.by, at=NOON)
    alice.read(f"/resources/{lent.hall.token}/pictures")
    desk = f"/lenders/{cast.town.token}"
    asked = f"{desk}/bookings/{booking['id']}"
    olga.read(f"{desk}/requests")
    olga.read(asked)
    olga.do(f"{asked}/opinion", {"favourable": True})
    olga.do(f"{asked}/decision", {"verdict": "accepted"})
    alice.do(f"/bookings/{booking['id']}/agreement/acceptance", {"digest": _agreed(session, cast)})
    alice.read(f"/bookings/{booking['id']}/agreement")
    alice.read("/bookings")
    alice.read(f"/bookings/{booking['id']}")
    olga.do(f"{asked}/hand-over", {})
    olga.read(f"{desk}/loans")
    later = {"until": "2026-11-27T23:00:00+01:00"}
    alice.do(f"/bookings/{booking['id']}/extension", later)
    olga.do(f"{asked}/extension", {"until": "2026-11-27T23:30:00+01:00"})
    half = {"starts_at": "2026-11-28T00:00:00+01:00", "ends_at": "2026-11-28T01:00:00+01:00"}
    other = alice.do("/bookings", wanted | half | {"items": [{"resource": lent.half.token}], "purpose": "Suite"})
    alice.do(f"/bookings/{booking['id']}/extension", {"until": "2026-11-28T00:30:00+01:00"})
    olga.do(f"{asked}/extension/decision", {"verdict": "declined", "text": "C’est pris."})
    alice.do(f"/bookings/{other['id']}/cancellation", {})
    olga.do(f"{asked}/return", {})
    with freeze_time(span["starts_at"]):
        olga.do(f"{asked}/attendance", {"people": 50})
    other = alice.do("/bookings", wanted | {"purpose": "Fête", "items": [{"resource": lent.drill.token}]})
    drill = {"items": [{"resource": lent.drill.token}], "purpose": "Fête"}
    other = alice.do(f"/bookings/{other['id']}/change", drill | span | {"people": 4})
    alice.do(f"/bookings/{other['id']}/cancellation", {})
    missed = alice.do("/bookings", wanted | {"purpose": "Fête", "items": [{"resource": lent.drill.token}]})["id"]
    olga.do(f"{desk}/bookings/{missed}/decision", {"verdict": "accepted"})
    used = alice.do("/bookings", wanted | {"purpose": "Fête", "items": [{"resource": lent.other_half.token}]})["id"]
    olga.do(f"{desk}/bookings/{used}/decision", {"verdict": "accepted"})
    with freeze_time(span["ends_at"]):
        olga.do(f"{desk}/bookings/{missed}/no-show", {})
        alice.do(f"/bookings/{used}/attendance", {"people": 12})
    weekly = {"party": cast.alice.party.token, "items": [{"resource": lent.half.token}], "every": "week",
              "first": "2026-12-01", "until": "2026-12-15", "starts": "18:00", "ends": "20:00"}  # fmt: skip
    alice.do("/series/quotes", weekly)
    series = alice.do("/series", weekly | {"purpose": "Chorale", "leave_out": ["2026-12-08"]})["id"]
    alice.read(f"/series/{series}")
    olga.read(f"{desk}/series/{series}")
    olga.do(f"{desk}/series/{series}/decision", {"verdict": "accepted"})
    alice.do(f"/series/{series}/cancellation", {})
    olga.read(f"{desk}/resources")
    olga.read(f"{desk}/resources/{lent.hall.token}")
    olga.do(f"{desk}/resources/{lent.hall.token}/publication", {})
    moves(alice, olga, cast, lent)
    hesitations(alice, olga, session, cast, lent)
    catalogues(alice, olga, cast)
    follows(alice, cast, lent)
    assert {name for name, _operation in operations(document)} == set(alice.reached)
    assert {name: told(answer) for name, answer in alice.reached.items()} == GIVEN


@contextmanager
def _two_steps(session: Session, cast: Cast, lent: Lent) -> Iterator[None]:
    """What is asked for meanwhile of the hall is spoken of before it is decided."""
    made = circuits.write(session, lender=cast.town.id, name="Salles", steps=[("Service technique", []), ("Élue", [])],
                          by=cast.olga.by, at=NOON)  # fmt: skip
    circuits.decide_on(session, made.id, before=(), after=[lent.hall.id], by=cast.olga.by, at=NOON)
    yield
    circuits.decide_on(session, made.id, before=[lent.hall.id], after=(), by=cast.olga.by, at=NOON)


def _agreed(session: Session, cast: Cast) -> str:
    """The digest of an agreement of the last loan, which its borrower accepts first."""
    words = agreements.Wording("Convention", "{demandeur}", first="borrower")
    agreements.write_template(session, words, lender=cast.town.id, by=cast.olga.by, at=NOON)
    [last] = loans.decided(session, cast.town.id, at=NOON)
    return papers.make(session, papers.loans(session, [last])[0], by=cast.olga.by, at=NOON).digest.hex()


def moves(alice: Witness, olga: Witness, cast: Cast, lent: Lent) -> None:
    """What is closed, offered in its place, accepted or not, and revoked."""
    desk, span = f"/lenders/{cast.town.token}", {"starts_at": "2027-02-05T18:00:00Z", "ends_at": "2027-02-05T20:00:00Z"}
    said = {"party": cast.alice.party.token, "items": [{"resource": lent.half.token}], "purpose": "Bal"} | span
    had = f"{desk}/bookings/{alice.do('/bookings', said)['id']}"
    olga.do(f"{desk}/resources/{lent.half.token}/closures/quotes", span)
    made = olga.do(f"{desk}/resources/{lent.half.token}/closures", span | {"kind": "works"})
    olga.read(f"{desk}/closures")
    olga.read(f"{desk}/closures/{made['id']}")
    other = {"items": [{"resource": lent.other_half.token}], "word": "Des travaux"} | span
    olga.do(f"{had}/offer", other)
    olga.do(f"{had}/offer/withdrawal")
    alice.do(f"/bookings/{olga.do(f'{had}/offer', other)['id']}/dismissal")
    moved = olga.do(f"{had}/offer", other)["id"]
    alice.do(f"/bookings/{moved}/consent")
    olga.do(f"{desk}/bookings/{moved}/revocation", {"ground": "services", "text": "Une fuite"})
    olga.do(f"{desk}/closures/{made['id']}/end")


def hesitations(alice: Witness, olga: Witness, session: Session, cast: Cast, lent: Lent) -> None:
    """Options that are confirmed and given up, and places on a waiting list: left, taken, refused."""
    desk = f"/lenders/{cast.town.token}"
    olga.do(f"{desk}/resources/{lent.drill.token}/edition", {"option_days": 9})

    def said(day: int) -> JSON:
        span = {"starts_at": f"2027-03-{day:02d}T18:00:00Z", "ends_at": f"2027-03-{day:02d}T20:00:00Z"}
        return {"party": cast.alice.party.token, "items": [{"resource": lent.drill.token}], "purpose": "Bal"} | span

    alice.do(f"/bookings/{alice.do('/options', said(1))['id']}/confirmation")
    alice.do(f"/bookings/{alice.do('/options', said(2))['id']}/release")
    for day, act in ((1, "departure"), (3, "acceptance"), (4, "refusal")):
        had = alice.do("/bookings", said(day))["id"] if day > 1 else ""
        place = alice.do("/waiting-list", said(day))["id"]
        if had:
            alice.do(f"/bookings/{had}/cancellation", {})
            wishes.give_turns(session, cast.town.id, by=cast.system, at=NOON, today=NOON.date())
            session.commit()
        alice.do(f"/waiting-list/{place}/{act}")
    alice.do("/waiting-list", said(1))
    alice.read("/waiting-list", ended="true")
    olga.read(f"{desk}/waiting-list")


def catalogues(alice: Witness, olga: Witness, cast: Cast) -> None:
    """What an office adds, edits, withdraws, reserves; and a neighbour who begins to lend."""
    desk = f"/lenders/{cast.town.token}"
    place = olga.do(f"{desk}/places", {"name": "Halle"})["id"]
    olga.read(f"{desk}/places")
    added = olga.do(f"{desk}/resources", {"kind": "room", "name": "Petite halle", "place": place})["id"]
    here = f"{desk}/resources/{added}"
    olga.do(f"{here}/edition", {"capacity": 40, "reserved": True})
    olga.do(f"{here}/publication", {})
    for party in (cast.alice.party, cast.bruno.party):
        given = olga.do(f"{here}/authorisations", {"party": party.token})["id"]
    olga.read(f"{here}/authorisations")
    olga.do(f"{desk}/authorisations/{given}/end")
    for act in ("withdrawal", "retirement", "restoration"):
        olga.do(f"{here}/{act}")
    alice.do(f"/lenders/{cast.alice.party.token}/things", {"name": "Scie sauteuse"})
    for report in ("loans", "use", "refusals"):
        olga.read(f"{desk}/reports/{report}")


def follows(alice: Witness, cast: Cast, lent: Lent) -> None:
    """What a telephone follows."""
    alice.read(f"/resources/{lent.hall.token}/feed")
    opened = f"/feeds/{alice.do('/feeds', {'party': cast.alice.party.token, 'of': 'bookings'})['id']}"
    alice.read("/feeds")
    alice.read(opened)
    alice.do(f"{opened}/renewal")
    alice.do(f"{opened}/end")


def told(answer: JSON) -> set[str]:
    """The names in an answer, or in the items of a list."""
    if set(answer) <= {"items", "next"}:
        assert answer["items"]
        return {name for item in answer["items"] if isinstance(item, dict) for name in item}
    return set(answer)


def names_in(value: Any) -> set[str]:
    """Every name at any depth."""
    if isinstance(value, list):
        return {name for inner in value for name in names_in(inner)}
    if isinstance(value, dict):
        return {*value, *(name for inner in value.values() for name in names_in(inner))}
    return set()


def test_an_officer_never_sees_a_balance(
    alice: Program, held_by: Held, cast: Cast, lent: Lent, officer_of_club: Program
) -> None:
    booking = alice.do("/bookings", {
        "party": cast.alice.party.token, "items": [{"resource": lent.dojo.token}], "purpose": "Judo",
        "starts_at": "2026-11-27T18:00:00Z", "ends_at": "2026-11-27T20:00:00Z",
    })  # fmt: skip
    desk = f"/lenders/{cast.club.token}"
    for path in ("/requests", "/loans", "/resources", f"/bookings/{booking['id']}"):
        assert not names_in(officer_of_club.read(desk + path)) & BALANCES, path
    assert [a["party"]["name"] for a in officer_of_club.read("/me")["accounts"]] == ["Chloé"]
    olga = held_by(cast.olga)
    assert olga.read("/me")["accounts"] == []


INTRUDERS = ("community_id", "by_sign_in", "by_party", "balance", "state", "id", "at", "role", "constructor")


def test_no_body_says_more_than_the_document(cast: Cast, held_by: Held, session: Session) -> None:
    people = (cast.alice, cast.bruno, cast.olga, cast.fanny, cast.tibo, cast.aicha)
    for program, name in product([held_by(person) for person in people], TAKEN):
        path = name.removeprefix("POST ").replace("{", "").replace("}", "")
        answer = program.post(path, dict.fromkeys(INTRUDERS, 1))
        assert answer.status_code == 422, name
        assert set(INTRUDERS) <= set(answer.json["errors"]), name


def test_the_pages_tell_everything_that_can_be_asked(client: FlaskClient, document: JSON) -> None:
    page, objects = client.get("/api/v1/").text, client.get("/api/v1/objects").text
    for name, operation in operations(document):
        method, _, path = name.partition(" ")
        assert f"{method} /api/v1{path}" in page
        assert operation["summary"].replace("'", "&#39;") in page
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in objects
    for target in re.findall(r'href="/api/v1/objects#(\w+)"', page):
        assert target in document["components"]["schemas"]


def test_these_pages_are_in_the_language_of_who_reads_them(client: FlaskClient) -> None:
    for said in ("Ce que c’est", "What it is", "Ce que c’est"):
        language = "en" if said.startswith("What") else "fr"
        assert said in client.get("/api/v1/", headers={"Accept-Language": language}).text


def test_every_rule_is_explained_where_its_type_leads(client: FlaskClient) -> None:
    page = client.get("/api/v1/problems").text
    for rule in ("floor-reached", "key-reused", "wrong-fields", "not-allowed", "token-missing"):
        assert f'id="{rule}"' in page
    assert "dépend de la demande" not in page


def test_the_document_speaks_the_language_that_is_asked(client: FlaskClient) -> None:
    told = client.get("/api/v1/openapi.json", headers={"Accept-Language": "fr"}).json
    assert told["openapi"] == "3.1.0"
    assert told["paths"]["/api/v1/me"]["get"]["summary"].startswith("Qui je suis")


@pytest.mark.parametrize("path", ["/docs", "/swagger-ui", "/redoc", "/swagger.json", "/rapidoc", "/api-docs"])
def test_only_our_own_page_shows_it(client: FlaskClient, path: str) -> None:
    assert client.get(f"/api/v1{path}").status_code == 404
    assert client.get(path).status_code == 404
