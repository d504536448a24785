"""Requests that no browser sends: hostile values, in every encoding, right or wrong; and how an answer is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from tests.forms import File

Value = str | bytes | File
Pairs = list[tuple[str | bytes, Value]]

TEXTS: tuple[Value, ...] = (
    "", " ", "\n", "\t \r\n", "\0", "a\0b", "\x01\x1b[31m", "\x7f", "\u202egnp.exe", "\u2028", "\ufeff", "\u200b",
    b"\xed\xa0\x80", b"a\xed\xb0\x80b", b"\xff\xfe", b"%ZZ%", b"\xc3",  # lone surrogates, bytes that are no UTF-8
    "x" * 5000, "é" * 70_000, "a " * 3000, "\U0001f330" * 500, "́" * 300,
    "'; DROP TABLE parties; --", "{{ 7 * 7 }}", "%s%n%(x)s", "{0.__class__}", "../../etc/passwd",
    "<script>alert(1)</script>", "=1+1",
    "javascript:alert(1)", "//elsewhere.example", "\\elsewhere", "None", "null", "true", "[]", "{}",
)  # fmt: skip
NUMBERS: tuple[Value, ...] = (
    "-1", "0", "+1", "1e9", "0x10", "1_000", "1 200", "٣", "²", "½", "NaN", "Infinity", "-0", "2147483648", "1.5",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "9" * 400, "100001", "000000001",
)  # fmt: skip
DATES: tuple[Value, ...] = (
    "2026-02-30", "2027-02-29", "0000-00-00", "0001-01-01", "9999-12-31", "31/02/2026", "2026-13-01", "-2026-01-01",
    "2026-11-21T10:00", "1899-12-31", "2200-01-01", "2201-01-01", "25:00", "24h", "14h60", "2h", "02:30", "1,5 h", "2",
    "1h90", "99999h", "٢h", "hier",
)  # fmt: skip
WORDS: tuple[Value, ...] = (
    "category:", "resource:", "resource:\0", "resource:nobody", "category:Salle", "nouveau", "correct", "tick_all",
    "offer", "person", "authority", "balance", "room", "erp", "utf-8", "tab", "y", "on",
)  # fmt: skip
FILES: tuple[File, ...] = (
    File("photo.png", b"\x89PNG\r\n\x1a\n\0\0"), File("", b"text"), File("a" * 3000, b""),
    File("\0\r\nX: y", b"nom\nA\n"), File("../../x.csv", b"nom;quantite\n=1+1;2\n"),
    File("\u202evsc.exe", b"\xff\xfen\0o\0m\0"), File("x.csv", b"\0" * 900), File("x.csv", b'nom;"quantite\nA;1\n'),
    File("x.csv", b";;;\n" * 2000), File("x.csv", b"nom\n\xed\xa0\x80\n"), File("x.csv", b"nom;nom;nom\n1;2;3;4\n"),
    File("x.csv", b"n" * 200_000),
)  # fmt: skip
NAMES = ("name", "x" * 20_000, '"; filename="a', "\r\nX: y", "\0", "[]", "a[b]", "__proto__", "é", "\u202e", "")


class Hostile(NamedTuple):
    """A request: what it says, and the bytes that say it."""

    pairs: Pairs
    content_type: str | None
    body: bytes
    whole: bool  # a form that can be read: what it says was really said

    def __repr__(self) -> str:
        return f"{self.content_type}: {self.body[:1000]!r}"


def raw(value: str | bytes) -> bytes:
    """The bytes of a text."""
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


def urlencoded(pairs: Pairs) -> bytes:
    """As an address or a plain form says it; a file has only its name there."""
    said = [(raw(name), raw(value.name if isinstance(value, File) else value)) for name, value in pairs]
    return b"&".join(quote_from_bytes(n).encode() + b"=" + quote_from_bytes(v).encode() for n, v in said)


def multipart(pairs: Pairs, boundary: bytes = b"marron") -> bytes:
    """As a form with files says it."""
    parts = []
    for name, value in pairs:
        head = b'Content-Disposition: form-data; name="' + _quoted(raw(name)) + b'"'
        if isinstance(value, File):
            head += b'; filename="' + _quoted(raw(value.name)) + b'"\r\nContent-Type: text/csv'
        body = value.content if isinstance(value, File) else raw(value)
        parts.append(b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + body + b"\r\n")
    return b"".join(parts) + b"--" + boundary + b"--\r\n"


def _quoted(name: bytes) -> bytes:
    return name.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")


def _json(pairs: Pairs) -> bytes:
    said = {str(name): value if isinstance(value, str) else 5 for name, value in pairs}
    return json.dumps(said).encode("utf-8", "replace")


URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=marron"
Encoding = tuple[str | None, Callable[[Pairs], bytes], bool]
WELL: tuple[Encoding, ...] = ((URLENCODED, urlencoded, True), (MULTIPART, multipart, True))
BADLY: tuple[Encoding, ...] = (
    ("application/json", _json, False),
    ("application/json", lambda _pairs: b"[1, 2]", False),
    ("application/json", lambda _pairs: b'{"name": {"a": [null]}}', False),
    ("application/json", lambda _pairs: b"[" * 20_000, False),
    ("application/json; charset=utf-16", lambda _pairs: b"\xff\xfe", False),
    ("text/plain", urlencoded, False),
    (None, urlencoded, False),
    ("x" * 3000, urlencoded, False),
    ("application/x-www-form-urlencoded; charset=utf-7", urlencoded, False),
    (URLENCODED, lambda pairs: urlencoded(pairs).replace(b"=", b"%", 2), False),
    (URLENCODED, lambda _pairs: b"&&&===%%%", False),
    (URLENCODED, lambda _pairs: b"a=" + b"x" * 1_200_000, False),
    ("multipart/form-data", multipart, False),
    ("multipart/form-data; boundary=", multipart, False),
    ("multipart/form-data; boundary=" + "b" * 300, multipart, False),
    ("multipart/form-data; boundary=\u00e9", multipart, False),
    (MULTIPART, lambda pairs: multipart(pairs)[:-12], False),
    (MULTIPART, lambda pairs: multipart(pairs).replace(b"form-data", b"attachment", 1), False),
    (MULTIPART, lambda _pairs: b"--marron\r\n" + b"X: y\r\n" * 3000 + b"\r\n--marron--", False),
    (MULTIPART, lambda _pairs: b"--marron--\r\n" * 3000, False),
    (MULTIPART, lambda _pairs: multipart([(f"a{n}", "") for n in range(2100)]), False),
)


def values(known: Sequence[str]) -> st.SearchStrategy[Value]:
    """A value that somebody might try, other people's identifiers among them."""
    return st.one_of(
        st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.sampled_from(DATES), st.sampled_from(WORDS),
        st.sampled_from(known), st.sampled_from(FILES), st.text(max_size=60), st.binary(max_size=30),
        st.integers().map(str), st.dates().map(str),
    )  # fmt: skip


@st.composite
def forms(draw: st.DrawFn, says: dict[str, Any], known: Sequence[str]) -> Hostile:
    """A form like one that is accepted, with a field or several that nobody would fill so."""
    wrong = draw(st.one_of(st.just(1), st.integers(0, max(1, len(says)))))
    spoiled = set(draw(st.permutations(sorted(says)))[:wrong])
    pairs: Pairs = []
    for name, right in says.items():
        if name not in spoiled:
            pairs += [(name, each) for each in (right if isinstance(right, list) else [right])]
            continue
        for _time in range(draw(st.sampled_from((0, 1, 1, 1, 1, 2, 3)))):  # missing, or repeated
            pairs.append((name, draw(values(known))))
    if draw(st.integers(0, 5)) == 0:
        pairs.append((draw(st.one_of(st.sampled_from(NAMES), st.text(max_size=20))), draw(values(known))))
    badly = draw(st.integers(0, 4)) == 0
    content_type, said, whole = draw(st.sampled_from(BADLY if badly else WELL))
    if any(isinstance(value, File) for _name, value in pairs) and whole:
        content_type, said, whole = WELL[1]
    return Hostile(pairs, content_type, said(pairs), whole)


@st.composite
def queries(draw: st.DrawFn, names: Sequence[str], known: Sequence[str]) -> bytes:
    """What an address may be followed by."""
    any_name = st.one_of(st.sampled_from(names), st.sampled_from(names), st.text(max_size=10)) if names else st.text()
    said = draw(st.lists(st.tuples(any_name, values(known)), min_size=1, max_size=4))
    query = urlencoded([(name, value) for name, value in said])[:6000]
    return query.replace(b"=", b"", 1) if draw(st.integers(0, 9)) == 0 else query


# -- reading a page


class Controls(HTMLParser):
    """What the controls of a page show: name -> values, of those that are filled, ticked or chosen."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.shown: dict[str, list[str]] = {}
        self.offered: dict[str, list[str]] = {}
        self.kinds: dict[str, str] = {}
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One control."""
        told = {key: value or "" for key, value in attrs}
        name, kind = told.get("name", ""), told.get("type", "text")
        if tag == "input" and kind in ("checkbox", "radio"):
            self._offer(name, kind, told.get("value", "on"), "checked" in told)
        elif tag == "input":
            self._offer(name, kind, told.get("value", ""), True)
        elif tag == "select":
            self._select = name
            self.kinds[name] = "select"
        elif tag == "option" and self._select:
            self._offer(self._select, "select", told.get("value", ""), "selected" in told)
        elif tag == "textarea":
            self._area = name
            self._offer(name, "textarea", "", True)

    def handle_data(self, data: str) -> None:
        """The text of a text area."""
        if self._area:
            self.shown[self._area][-1] += data

    def handle_endtag(self, tag: str) -> None:
        """The end of a select or of a text area."""
        if tag == "select":
            self.shown.setdefault(self._select, self.offered.get(self._select, [])[:1])  # as a browser does
            self._select = ""
        if tag == "textarea":
            self._area = ""

    def _offer(self, name: str, kind: str, value: str, shown: bool) -> None:
        self.kinds[name] = kind
        self.offered.setdefault(name, []).append(value)
        if shown:
            self.shown.setdefault(name, []).append(value)
