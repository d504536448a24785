"""The worked example of ``ledger/README.md`` does what it says."""

from __future__ import annotations

import doctest
from pathlib import Path

from exchange.config import ROOT
from ledger.store import auditing, reading, sealing, writing
from tests.cast import SATURDAY
from tests.ledger.conftest import LATER, Books


def test_the_example_of_the_readme(books: Books, tmp_path: Path) -> None:
    cast = books.cast
    people = {"Alice": cast.alice, "Bruno": cast.bruno, "Chloé": cast.chloe}
    names = {
        "session": books.session, "sel": books.community, "system": cast.system, "saturday": SATURDAY, "noon": LATER,
        "alice": books.account(cast.alice).id, "bruno": books.account(cast.bruno).id,
        "chloe": books.account(cast.chloe).id, "writing": writing, "reading": reading, "auditing": auditing,
        "sealing": sealing, "path": tmp_path / "books.jsonl",
        "balances": lambda: {name: books.balance(person) for name, person in people.items()},
    }  # fmt: skip
    text = (ROOT / "ledger" / "README.md").read_text(encoding="utf-8").replace("```", "")
    example = doctest.DocTestParser().get_doctest(text, names, "README", None, 0)
    assert len(example.examples) > 10
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert result.failed == 0, "".join(said)
