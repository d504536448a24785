"""What people type in a cell: counts, euros, positions, days, links, and what has two readings."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.imports.values import AmbiguousError, day, degrees, email, euros, is_nothing, link, whole


@pytest.mark.parametrize("text", ["", "  ", "NULL", " NULL ", "null", "\u00a0"])
def test_blanks_and_the_word_null_are_nothing(text: str) -> None:
    assert is_nothing(text)


@pytest.mark.parametrize("text", ["0", "Null", "-", "NULLE"])
def test_anything_else_is_something(text: str) -> None:
    assert not is_nothing(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [("12", 12), (" 3 ", 3), ("1 200", 1200), ("1\u202f200", 1200), ("3,0", 3), ("4.00", 4), ("0", 0)],
)
def test_a_count_is_read_as_it_is_typed(text: str, count: int) -> None:
    assert whole(text) == count


@pytest.mark.parametrize("text", ["", "douze", "3,5", "-1", "1e3", "٣", "12 chaises", "9" * 40, "3 ou 4"])
def test_what_is_no_count_is_none(text: str) -> None:
    assert whole(text) is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("80", "80"),
        ("80 €", "80"),
        ("12,50", "12.50"),
        ("1 234,50 €", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("0,500", "0.500"),
        ("15 euros", "15"),
    ],
)
def test_an_amount_in_euros_is_read_with_a_comma_or_a_point(text: str, amount: str) -> None:
    assert euros(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["1.500", "1,500", "12.000 €"])
def test_thousand_or_comma_is_asked_back(text: str) -> None:
    with pytest.raises(AmbiguousError):
        euros(text)
    with pytest.raises(AmbiguousError):
        whole(text.removesuffix(" €"))


@pytest.mark.parametrize("text", ["", "environ 50", "50-60", "1,2,3", "NaN", "Infinity", "=1+1", "1" * 60])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert euros(text) is None


def test_a_position_is_read_with_a_comma_or_a_point_and_nothing_else() -> None:
    assert degrees("43,6112") == degrees("43.6112") == 43.6112
    assert degrees("-1,68") == -1.68
    assert [degrees(text) for text in ("", "nan", "inf", "43°36'", "1e2", "43.6 N")] == [None] * 6


def test_a_day_is_day_month_year() -> None:
    assert day("04/06/2014") == day("4/6/2014") == day("4.6.2014") == day("2014-06-04") == date(2014, 6, 4)


@pytest.mark.parametrize("text", ["", "31/02/2014", "06/2014", "4/6/14", "2014/06/04", "0/0/0000", "demain"])
def test_a_day_that_is_none_or_has_two_readings_is_none(text: str) -> None:
    assert day(text) is None


def test_a_link_is_http_or_https_so_that_no_page_carries_a_script() -> None:
    assert link("https://www.redon.fr/salles?id=3#plan") == "https://www.redon.fr/salles?id=3#plan"
    for text in ("javascript:alert(1)", "data:text/html,x", "www.redon.fr", "https://", 'https://x"onload=1', "//x.fr"):
        assert link(text) is None


def test_an_electronic_address_has_two_sides_and_a_dot() -> None:
    assert email("mairie@redon.fr") == "mairie@redon.fr"
    assert [email(text) for text in ("mairie", "a@b", "a@b.fr;c@d.fr", "a b@c.fr", "a@b.fr\nBcc: x@y.fr")] == [None] * 5


@given(st.text("0123456789.,- €\u202f٣eN/@:", max_size=20))
def test_a_number_read_is_never_more_than_its_digits_say(text: str) -> None:
    try:
        amount = euros(text)
    except AmbiguousError:
        return
    if amount is not None:
        assert abs(amount) <= int("".join(filter("0123456789".__contains__, text)))


@given(st.integers(0, 10**9))
def test_a_count_grouped_by_narrow_spaces_is_the_count(count: int) -> None:
    assert whole(f"{count:,}".replace(",", "\u202f")) == count


@given(st.dates())
def test_a_day_written_in_french_is_that_day(when: date) -> None:
    assert day(f"{when.day:02}/{when.month:02}/{when.year:04}") == when
