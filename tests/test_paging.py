"""Which page of a list is asked for: whatever an address says, there is one."""

from __future__ import annotations

import pytest

from exchange.paging import page_number


@pytest.mark.parametrize(
    ("given", "page"),
    [("1", 1), ("7", 7), ("00012", 12), ("99999", 99_999), ("", 1), ("0", 1), ("-1", 1), ("2.0", 1), ("deux", 1),
     ("100000", 1), ("9" * 400, 1), ("٣", 1), ("²", 1), (" 2", 1)],
)  # fmt: skip
def test_what_is_no_page_is_the_first(given: str, page: int) -> None:
    assert page_number(given) == page
