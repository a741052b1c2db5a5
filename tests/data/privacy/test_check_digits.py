"""Right numbers pass, and a number with one wrong digit does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data.privacy import check_digits

RIGHT = {
    "luhn": ["4111 1111 1111 1111", "5500-0000-0000-0004", "340000000000009"],
    "iban": ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "FR1420041010050500013M02606"],
    "german_tax_id": ["86095742719", "47036892816", "65929970489"],
    "spanish_dni": ["12345678Z", "X1234567L"],
    "french_nir": ["253072B07300470", "2 95 10 99 126 111 93"],
    "dutch_bsn": ["111222333", "123456782"],
    "polish_pesel": ["44051401359", "02070803628"],
    "brazilian_cpf": ["390.533.447-05", "529.982.247-25"],
}


@pytest.mark.parametrize(("scheme", "text"), [(name, one) for name, texts in RIGHT.items() for one in texts])
def test_published_examples_pass_and_their_slips_do_not(scheme: str, text: str) -> None:
    """Every change of one digit is noticed, except by a scheme that cannot (letters are not changed here)."""
    check = getattr(check_digits, scheme)
    assert check(text)
    places = [place for place, one in enumerate(text) if one.isdigit()]
    slips = [
        text[:place] + digit + text[place + 1 :] for place in places for digit in "0123456789" if digit != text[place]
    ]
    assert sum(map(check, slips)) <= 0.03 * len(slips)


@given(st.sampled_from(sorted(RIGHT)), st.text(max_size=30))
def test_no_text_breaks_a_check(scheme: str, text: str) -> None:
    """Whatever it is, the answer is yes or no."""
    assert getattr(check_digits, scheme)(text) in {True, False}
