"""The bytes of each kind of fact, frozen: what was sealed once is written in the same way for ever.

The rows are known ones, with their ids and salts. A line that changes here would make every export, proof and head that
ever left a server worthless: another line for a fact is a new version of the view, and never that of an old fact.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from re import findall
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from exchange.config import ROOT, WEB_ROLE
from ledger import exports
from ledger.seals import leaf_hash
from ledger.store import sealing
from ledger.store.sealing import Head
from tests.cast import NOON
from tests.databases import Postgres
from tests.ledger import exported
from tests.ledger.exported import fact_of, line_of

SALT = bytes(range(16))
WORDS = "Taille de la haie, chez Étienne"
DIGEST = sha256(SALT + WORDS.encode()).hexdigest()
ACCOUNTS = """
    INSERT INTO books.accounts (id, community_id, party_id, token, kind, clock, opened_at)
    OVERRIDING SYSTEM VALUE VALUES
    (71, 7, 701, 'alice', 'person', '2026-11-21 11:00+00', '2026-11-21 11:00+00'),
    (72, 7, 702, 'bruno', 'person', '2026-11-21 11:00+00', '2026-11-21 11:00+00'),
    (73, 7, 703, 'club', 'organisation', '2026-11-21 11:00+00', '2026-11-21 11:00+00')
"""


class Vector(NamedTuple):
    """What is in the database, the line that says so, and the hash of its leaf."""

    rows: str
    line: str
    hash: str


ENTRY = """INSERT INTO books.entries (id, community_id, key, kind, cause_kind, cause_id, reverses_id, happened_on,
    recorded_at, by_sign_in, by_party, by_mandate, note_digest) VALUES """
TRANSFER = """INSERT INTO books.transfers (entry_id, line, community_id, from_account, to_account, minutes, from_seq,
    from_balance, to_seq, to_balance) VALUES """
EVENT = """INSERT INTO books.account_events (id, community_id, account_id, kind, note_digest, recorded_at, by_sign_in,
    by_party, by_mandate) VALUES """
LIMIT = """INSERT INTO books.limits (id, community_id, account_kind, account_id, floor, ceiling, starts_at, ends_at,
    note_digest, recorded_at, by_sign_in, by_party, by_mandate) VALUES """
HOLD = """INSERT INTO books.holds (id, community_id, key, from_account, to_account, minutes, after_seq, cause_kind,
    cause_id, recorded_at, by_sign_in, by_party, by_mandate) VALUES """
RESOLUTION = """INSERT INTO books.hold_resolutions (id, hold_id, community_id, kind, entry_id, after_seq, recorded_at,
    by_sign_in, by_party, by_mandate) VALUES """
MANDATE = """INSERT INTO books.mandates (id, mandate_id, sign_in_id, party_id, role, starts_on, ends_on, recorded_at)
    VALUES """
MONTH = """INSERT INTO books.months (id, community_id, month, entries, minutes, late, recorded_at, by_sign_in, by_party,
    by_mandate) VALUES """
KEY = "INSERT INTO books.seal_keys (id, key, recorded_at) VALUES "
VECTORS = {
    "a default limit": Vector(
        LIMIT + f"""(101, 7, 'person', NULL, -2000, 2000, '2026-11-21 11:00+00', NULL,
            '\\x{DIGEST}', '2026-11-21 11:00+00', NULL, 700, NULL)""",
        '{"fact": "limit", "id": 101, "community": 7, "account_kind": "person", "account": null, '
        '"floor": -2000, "ceiling": 2000, "starts_at": "2026-11-21T11:00:00.000000Z", "ends_at": null, '
        '"note": "ea06bb7187af2b0ff6b80daaecbb70028858fb041c49943beec0fee84ff289c7", '
        '"recorded_at": "2026-11-21T11:00:00.000000Z", "by_sign_in": null, "by_party": 700, "by_mandate": null}',
        "492417f07d76099789ebb61eb6d07aa4db8b54450e78bfd9555592a5c0d62a73",
    ),
    "no limit at all": Vector(
        LIMIT + f"""(102, 7, 'authority', NULL, NULL, NULL, '2026-11-21 11:00+00', '2027-11-21 11:00+00',
            '\\x{DIGEST}', '2026-11-21 11:00+00', 31, 700, 41)""",
        '{"fact": "limit", "id": 102, "community": 7, "account_kind": "authority", "account": null, '
        '"floor": null, "ceiling": null, "starts_at": "2026-11-21T11:00:00.000000Z", '
        '"ends_at": "2027-11-21T11:00:00.000000Z", '
        '"note": "ea06bb7187af2b0ff6b80daaecbb70028858fb041c49943beec0fee84ff289c7", '
        '"recorded_at": "2026-11-21T11:00:00.000000Z", "by_sign_in": 31, "by_party": 700, "by_mandate": 41}',
        "d00063c62bdbf9e7ed2ba2318cc09d11e2a0d86152304cf386a83718ca4b90e7",
    ),
    "an exception": Vector(
        LIMIT + f"""(103, 7, NULL, 72, -3000, NULL, '2026-11-25 23:00+00', '2026-12-25 22:59:59.999999+00',
            '\\x{DIGEST}', '2026-11-22 11:00+00', 31, 700, 41)""",
        '{"fact": "limit", "id": 103, "community": 7, "account_kind": null, "account": 72, "floor": -3000, '
        '"ceiling": null, "starts_at": "2026-11-25T23:00:00.000000Z", '
        '"ends_at": "2026-12-25T22:59:59.999999Z", '
        '"note": "ea06bb7187af2b0ff6b80daaecbb70028858fb041c49943beec0fee84ff289c7", '
        '"recorded_at": "2026-11-22T11:00:00.000000Z", "by_sign_in": 31, "by_party": 700, "by_mandate": 41}',
        "017bb94199a00421d8ce34ad7d35364914cfb0b881d0a1fd0e4ddf5b56740dae",
    ),
    "an account opened": Vector(
        EVENT + f"""(104, 7, 73, 'opened', '\\x{DIGEST}', '2026-11-21 11:00+00', NULL, 700, NULL)""",
        '{"fact": "account", "id": 104, "community": 7, "account": 73, "kind": "opened", '
        '"account_kind": "organisation", "recorded_at": "2026-11-21T11:00:00.000000Z", "by_sign_in": null, '
        '"by_party": 700, "by_mandate": null, '
        '"note": "ea06bb7187af2b0ff6b80daaecbb70028858fb041c49943beec0fee84ff289c7"}',
        "8771a41d2adfbe01735af8072ff9fe4138fe01b5fe558f8db280c5326dec3800",
    ),
    "an account leaving": Vector(
        EVENT + f"""(105, 7, 71, 'leaving', '\\x{DIGEST}', '2026-11-22 11:00+00', 31, 700, 41)""",
        '{"fact": "account", "id": 105, "community": 7, "account": 71, "kind": "leaving", '
        '"account_kind": "person", "recorded_at": "2026-11-22T11:00:00.000000Z", "by_sign_in": 31, '
        '"by_party": 700, "by_mandate": 41, '
        '"note": "ea06bb7187af2b0ff6b80daaecbb70028858fb041c49943beec0fee84ff289c7"}',
        "138e1351f62efd581bd630de546aa5787dcc19312ae1a9dcffc8893547201d15",
    ),
    "an account closed": Vector(
        EVENT + """(106, 7, 71, 'closed', NULL, '2026-11-23 11:00+00', 31, 700, 41)""",
        '{"fact": "account", "id": 106, "community": 7, "account": 71, "kind": "closed", '
        '"account_kind": "person", "recorded_at": "2026-11-23T11:00:00.000000Z", "by_sign_in": 31, '
        '"by_party": 700, "by_mandate": 41, "note": null}',
        "b6f6fad9f8036109880df7619ed045f801a7aeb497f5d35bd44509e8c1a5c2f8",
    ),
    "an entry": Vector(
        ENTRY + f"""(107, 7, 'k107', 'exchange', 'declaration', 12, NULL, '2026-11-21',
            '2026-11-21 11:00:00.123456+00', 31, 702, 41, '\\x{DIGEST}');
            {TRANSFER} (107, 1, 7, 72, 71, 90, 1, -90, 1, 90)""",
        '{"fact": "entry", "id": 107, "community": 7, "kind": "exchange", "cause": ["declaration", 12], '
        '"reverses": null, "happened_on": "2026-11-21", "recorded_at": "2026-11-21T11:00:00.123456Z", '
        '"by_sign_in": 31, "by_party": 702, "by_mandate": 41, '
        '"note": "ea06bb7187af2b0ff6b80daaecbb70028858fb041c49943beec0fee84ff289c7", '
        '"transfers": [{"from": 72, "to": 71, "minutes": 90, "from_seq": 1, "from_balance": -90, "to_seq": 1, '
        '"to_balance": 90}]}',
        "d35b38ab7a5be8572980442a52d882b3f9b2be32a64b0963397128ca2beed0d0",
    ),
    "an entry of several transfers": Vector(
        ENTRY + f"""(108, 7, 'k108', 'dues', NULL, NULL, NULL, '1900-01-01',
            '2000-01-01 00:00+00', NULL, 700, NULL, NULL);
            {TRANSFER} (108, 2, 7, 73, 71, 1000000000, 1, -1000000000, 2, 1000000090),
            (108, 1, 7, 72, 71, 1, 2, -91, 3, 1000000091), (108, 3, 7, 71, 72, 60, 4, 1000000031, 3, -31)""",
        '{"fact": "entry", "id": 108, "community": 7, "kind": "dues", "cause": null, "reverses": null, '
        '"happened_on": "1900-01-01", "recorded_at": "2000-01-01T00:00:00.000000Z", "by_sign_in": null, '
        '"by_party": 700, "by_mandate": null, "note": null, "transfers": [{"from": 72, "to": 71, "minutes": 1, '
        '"from_seq": 2, "from_balance": -91, "to_seq": 3, "to_balance": 1000000091}, {"from": 73, "to": 71, '
        '"minutes": 1000000000, "from_seq": 1, "from_balance": -1000000000, "to_seq": 2, '
        '"to_balance": 1000000090}, {"from": 71, "to": 72, "minutes": 60, "from_seq": 4, '
        '"from_balance": 1000000031, "to_seq": 3, "to_balance": -31}]}',
        "c77ca1c422e6c420111cfa3553dd370b5145b7cf79249646355f2ddf1a8a66bd",
    ),
    "a correction": Vector(
        ENTRY + f"""(109, 7, 'k109', 'correction', 'declaration', 12, 107, '2026-11-23',
            '2026-11-23 11:00+00', 32, 700, 42, '\\x{DIGEST}');
            {TRANSFER} (109, 1, 7, 71, 72, 90, 5, -59, 4, 59)""",
        '{"fact": "entry", "id": 109, "community": 7, "kind": "correction", "cause": ["declaration", 12], '
        '"reverses": 107, "happened_on": "2026-11-23", "recorded_at": "2026-11-23T11:00:00.000000Z", '
        '"by_sign_in": 32, "by_party": 700, "by_mandate": 42, '
        '"note": "ea06bb7187af2b0ff6b80daaecbb70028858fb041c49943beec0fee84ff289c7", '
        '"transfers": [{"from": 71, "to": 72, "minutes": 90, "from_seq": 5, "from_balance": -59, "to_seq": 4, '
        '"to_balance": 59}]}',
        "e8c539fcc5bb61d9555b41b037271f4558a9bd17fd257fef7a67bed881735cb2",
    ),
    "a cause with signs": Vector(
        ENTRY + f"""(110, 7, 'k110', 'exchange', E'a"b\\\\c/\\u00e9\\u2028\\t\\x01\\x7f\\U0001F330', 12, NULL,
            '2200-01-01', '2200-01-01 00:00+00', NULL, 700, NULL, NULL);
            {TRANSFER} (110, 1, 7, 72, 71, 1, 5, 58, 6, -58)""",
        '{"fact": "entry", "id": 110, "community": 7, "kind": "exchange", '
        '"cause": ["a\\"b\\\\c/é\u2028\\t\\u0001\x7f🌰", 12], "reverses": null, "happened_on": "2200-01-01", '
        '"recorded_at": "2200-01-01T00:00:00.000000Z", "by_sign_in": null, "by_party": 700, '
        '"by_mandate": null, "note": null, "transfers": [{"from": 72, "to": 71, "minutes": 1, "from_seq": 5, '
        '"from_balance": 58, "to_seq": 6, "to_balance": -58}]}',
        "54797c2367e1bbb16fc2b969cce767c21a80c9d1967d8fd40c9891ae53dd3457",
    ),
    "a hold": Vector(
        HOLD + """(111, 7, 'k111', 72, 73, 120, 5, 'booking', 9, '2026-11-24 11:00+00', 31, 702, 41)""",
        '{"fact": "hold", "id": 111, "community": 7, "from": 72, "to": 73, "minutes": 120, "after_seq": 5, '
        '"cause": ["booking", 9], "recorded_at": "2026-11-24T11:00:00.000000Z", "by_sign_in": 31, '
        '"by_party": 702, "by_mandate": 41}',
        "3f5bef52c62ad53d7733c1c58e13c8ccfd8678b257ee348aafa9a098f4eaaaf4",
    ),
    "a hold without a cause": Vector(
        HOLD + """(112, 7, 'k112', 72, 73, 60, 5, NULL, NULL, '2026-11-24 11:00:00.5+00', NULL, 702,
            NULL)""",
        '{"fact": "hold", "id": 112, "community": 7, "from": 72, "to": 73, "minutes": 60, "after_seq": 5, '
        '"cause": null, "recorded_at": "2026-11-24T11:00:00.500000Z", "by_sign_in": null, "by_party": 702, '
        '"by_mandate": null}',
        "3d33a0f90b2df73356bce82549f27c63601e84cfd27188f108bf0921c9724f11",
    ),
    "minutes posted": Vector(
        RESOLUTION + """(113, 111, 7, 'posted', 114, 5, '2026-11-25 11:00+00', 31, 702, 41)""",
        '{"fact": "resolution", "id": 113, "community": 7, "hold": 111, "kind": "posted", "entry": 114, '
        '"after_seq": 5, "recorded_at": "2026-11-25T11:00:00.000000Z", "by_sign_in": 31, "by_party": 702, '
        '"by_mandate": 41}',
        "91e9b663a45dd354881a702c6d4a9a774f52fe6e8968fc265a7bee5330847f5c",
    ),
    "minutes released": Vector(
        RESOLUTION + """(115, 112, 7, 'released', NULL, 5, '2026-11-25 11:00+00', NULL, 700, NULL)""",
        '{"fact": "resolution", "id": 115, "community": 7, "hold": 112, "kind": "released", "entry": null, '
        '"after_seq": 5, "recorded_at": "2026-11-25T11:00:00.000000Z", "by_sign_in": null, "by_party": 700, '
        '"by_mandate": null}',
        "e8ea49ddeead743d3a8c5196310d69089f0d1771667478ebd8686cd18d6fd6b7",
    ),
    "minutes expired": Vector(
        RESOLUTION + """(116, 112000, 7, 'expired', NULL, 6, '2026-11-25 11:00+00', NULL, 700, NULL)""",
        '{"fact": "resolution", "id": 116, "community": 7, "hold": 112000, "kind": "expired", "entry": null, '
        '"after_seq": 6, "recorded_at": "2026-11-25T11:00:00.000000Z", "by_sign_in": null, "by_party": 700, '
        '"by_mandate": null}',
        "483db32a7cde442644e4d7547f1907c9fcdc48f397589de4f394cef32e279470",
    ),
    "a mandate": Vector(
        MANDATE + """(117, 41, 31, 702, 'delegate', '2026-11-21', '2027-11-20', '2026-11-21 11:00+00')""",
        '{"fact": "mandate", "id": 117, "mandate": 41, "sign_in": 31, "party": 702, "role": "delegate", '
        '"starts_on": "2026-11-21", "ends_on": "2027-11-20", "recorded_at": "2026-11-21T11:00:00.000000Z"}',
        "7595fc480d705b1c4e1a291b5e51c1c9b3c3c11e8091550ad2f6516576ad2e61",
    ),
    "a mandate without an end": Vector(
        MANDATE + """(118, 42, 32, 700, 'treasurer', '2026-11-21', NULL, '2026-11-21 11:00+00')""",
        '{"fact": "mandate", "id": 118, "mandate": 42, "sign_in": 32, "party": 700, "role": "treasurer", '
        '"starts_on": "2026-11-21", "ends_on": null, "recorded_at": "2026-11-21T11:00:00.000000Z"}',
        "cf6fb2184a9cdc208d94ffe6d1d8beceeb97d9aeb2149e9e78c17964c7901efb",
    ),
    "a month": Vector(
        MONTH + """(119, 7, '2026-10-01', 321, 12345, 6, '2026-11-02 11:00+00', 32, 700, 42)""",
        '{"fact": "month", "id": 119, "community": 7, "month": "2026-10", "entries": 321, "minutes": 12345, '
        '"late": 6, "recorded_at": "2026-11-02T11:00:00.000000Z", "by_sign_in": 32, "by_party": 700, '
        '"by_mandate": 42}',
        "00fe6f976e830c0ffc509a1f4a4dacfb66f790130253ecb5ab1a2a57daee799d",
    ),
    "a key": Vector(
        KEY + """(120, 'livre.example.org+e5bfb663+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f',
            '2026-11-21 11:00+00')""",
        '{"fact": "key", "id": 120, '
        '"key": "livre.example.org+e5bfb663+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f", '
        '"recorded_at": "2026-11-21T11:00:00.000000Z"}',
        "ed4e73018b6be7005450ccd9487a133f619946db2a58f95517f95662b2788b05",
    ),
}  # fmt: skip


@contextmanager
def unguarded(session: Session) -> Iterator[psycopg.Connection]:
    """Write rows as they are, as the superuser, without what they refer to."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    connection.execute("SET LOCAL ROLE NONE")
    connection.execute("SET LOCAL session_replication_role = replica")
    yield connection
    connection.execute("SET LOCAL session_replication_role = origin")
    connection.execute(f"SET LOCAL ROLE {WEB_ROLE}")


@pytest.fixture
def written(session: Session) -> Session:
    """Books that hold the rows of every vector, and nothing else."""
    with unguarded(session) as connection:
        for rows in (ACCOUNTS, *(vector.rows for vector in VECTORS.values())):
            connection.execute(rows)
    return session


def told(session: Session) -> list[str]:
    """The lines, in the order of their numbers: that of the vectors."""
    return list(session.scalars(text("SELECT line FROM books.facts ORDER BY id")))


def test_each_kind_of_fact_is_written_as_it_always_was(written: Session) -> None:
    for (what, vector), line in zip(VECTORS.items(), told(written), strict=True):
        assert line == vector.line, what


@pytest.mark.parametrize("vector", VECTORS.values(), ids=list(VECTORS))
def test_a_line_is_plain_json_and_its_leaf_is_its_hash(vector: Vector) -> None:
    assert json.dumps(json.loads(vector.line), ensure_ascii=False) == vector.line
    assert leaf_hash(vector.line.encode()).hex() == sha256(b"\x00" + vector.line.encode()).hexdigest() == vector.hash


def test_words_are_in_a_line_as_the_hash_of_their_salt_and_of_them() -> None:
    assert DIGEST == "ea06bb7187af2b0ff6b80daaecbb70028858fb041c49943beec0fee84ff289c7"
    assert sum(f'"note": "{DIGEST}"' in vector.line for vector in VECTORS.values()) == 7


def test_every_kind_of_fact_has_its_vector(session: Session) -> None:
    view = session.scalar(text("SELECT pg_get_viewdef('books.facts'::regclass)"))
    assert view
    kinds = findall(r'\{"fact": "(\w+)"', view)
    assert len(kinds) == 8
    assert {json.loads(vector.line)["fact"] for vector in VECTORS.values()} == set(kinds)


def test_what_the_functions_write_is_plain_json_too(postgres: Postgres) -> None:
    for line in exported.rich(postgres).lines:
        assert line_of(fact_of(line)) == line


ODD: list[dict[str, str]] = [
    {"datestyle": "German, DMY", "timezone": "Asia/Kathmandu", "intervalstyle": "sql_standard"},
    {"datestyle": "SQL, MDY", "timezone": "America/St_Johns", "intervalstyle": "postgres_verbose"},
    {"datestyle": "Postgres, YMD", "timezone": "Pacific/Apia", "bytea_output": "escape"},
    {"standard_conforming_strings": "off", "escape_string_warning": "off", "backslash_quote": "on"},
    {"client_encoding": "UTF8", "extra_float_digits": "-15", "quote_all_identifiers": "on", "array_nulls": "off"},
    {"timezone": "<-25>25", "transform_null_equals": "on", "enable_indexscan": "off", "enable_hashjoin": "off"},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_whatever_the_session_sets_the_bytes_are_the_same(written: Session, odd: dict[str, str]) -> None:
    for name, value in odd.items():
        written.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})
    agree(written)


@pytest.mark.parametrize(
    ("fixed", "left"),
    [
        ("to_char(e.happened_on, 'YYYY-MM-DD')", "e.happened_on"),
        ("h.recorded_at AT TIME ZONE 'UTC'", "h.recorded_at"), ("encode(v.note_digest, 'hex')", "v.note_digest::text"),
    ],
)  # fmt: skip
def test_control_a_line_that_leaves_its_form_to_the_session_is_not_the_same(
    written: Session, fixed: str, left: str
) -> None:
    source = (ROOT / "migrations" / "sql" / "view_facts.v1.sql").read_text(encoding="utf-8")
    assert fixed in source
    with unguarded(written) as connection:
        connection.execute(source.replace(fixed, left))
    for odd in ODD[:3]:
        for name, value in odd.items():
            written.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})
    assert told(written) != [vector.line for vector in VECTORS.values()]


def test_whatever_the_language_of_the_server_the_bytes_are_the_same(written: Session) -> None:
    places = written.scalars(
        text("SELECT DISTINCT collcollate FROM pg_collation WHERE collprovider = 'c' AND collcollate <> ''"
             " AND collencoding IN (-1, 6)")
    ).all()  # fmt: skip
    assert "C" in places
    for place in places:
        for name in ("lc_numeric", "lc_time", "lc_monetary"):
            written.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": place})
        assert told(written) == [vector.line for vector in VECTORS.values()]
    agree(written)


def test_an_export_is_in_utf_8_whatever_its_session_speaks(written: Session) -> None:
    """In LATIN1 the sign of a chestnut tree could not even be said."""
    hashes = sealed(written)
    written.execute(text("SET LOCAL client_encoding = 'LATIN1'"))
    content = exported_lines(written, len(hashes))
    written.execute(text("SET LOCAL client_encoding = 'UTF8'"))
    assert content == [f"{vector.line}\n".encode() for vector in VECTORS.values()]


def agree(session: Session) -> None:
    """The view, the leaves and the export all say what the vectors say."""
    assert told(session) == [vector.line for vector in VECTORS.values()]
    assert sealed(session) == [vector.hash for vector in VECTORS.values()]
    assert exported_lines(session, len(VECTORS)) == [f"{vector.line}\n".encode() for vector in VECTORS.values()]


def sealed(session: Session) -> list[str]:
    rows = session.execute(text("SELECT place, hash FROM books.seal(1000, false) ORDER BY place"))
    return [bytes(row.hash).hex() for row in rows]


def exported_lines(session: Session, size: int) -> list[bytes]:
    out = BytesIO()
    exports.write(out, sealing.lines(session, Head(size, bytes(32), "", NOON)), "")
    return out.getvalue().splitlines(keepends=True)[:-1]
