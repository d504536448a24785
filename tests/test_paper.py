"""What people wrote stands on paper as they typed it: Typst is given words, and never markup."""

from __future__ import annotations

from io import BytesIO

from pypdf import PdfReader

from exchange import paper
from tests.hostile import TEXTS

MARKUP = [
    '#panic("x")', "#read(\"/etc/passwd\")", "#import \"x.typ\": *", "$x^2$", "= Titre", "*gras*", "_penché_", "`code`",
    "@ref", "<label>", "#let x = 1", "\\", "#", "##", "]", "[", "#image(\"/etc/passwd\")", "//comment", "/* a",
    "#eval(\"1\")", "{numero}", "- a", "+ b", "/ c: d", "~", "#sys.inputs.told", "\"", "'", "<script>alert(1)</script>",
    *(str(each) for each in TEXTS if isinstance(each, str) and each.isprintable() and each.strip()
      and len(each) < 300),
]  # fmt: skip


def test_no_word_is_ever_markup() -> None:
    """Everything that somebody wrote stands on the paper as it was typed."""
    said = [each for each in MARKUP if len(each) < 60]
    blocks = [{"kind": kind, "text": each, "level": 0} for each in said for kind in ("paragraph", "item")]
    signed = {"who": "#panic()", "said": "*x*", "when": "$"}
    made_of = paper.pdf("agreements/agreement", {
        "lang": "fr", "title": "#panic()", "number": "$C$", "lender": "#panic()", "warning": "#read(\"x\")",
        "blocks": [{"kind": "title", "text": "#panic()", "level": 1}, *blocks], "signatures": [signed, signed],
        "digest": "#x",
    })  # fmt: skip
    page = "".join("".join(each.extract_text() for each in PdfReader(BytesIO(made_of)).pages).split())
    for each in said:
        if each.isascii():
            assert "".join(each.split()) in page, each
