"""The National Provider Identifier (CERT-06)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.domain import npi
from coordinator.domain.npi import NpiKind


def test_cert_06_examples():
    assert npi.is_valid("1234567893")
    assert not npi.is_valid("1234567890")


@pytest.mark.parametrize(
    "number", ["", "123456789", "12345678930", "123456789x", "3234567893", "１２３４５６７８９３", "-234567893"]
)
def test_what_is_not_ten_digits_beginning_with_one_or_two_is_invalid(number):
    assert not npi.is_valid(number)


def test_only_a_person_is_an_individual():
    assert npi.is_individual("1234567893", NpiKind.INDIVIDUAL)
    assert not npi.is_individual("1234567893", NpiKind.ORGANISATION)
    assert not npi.is_individual("1234567893", None)
    assert not npi.is_individual("1234567890", NpiKind.INDIVIDUAL)


@given(
    st.sampled_from("12"),
    st.text("0123456789", min_size=8, max_size=8),
    st.integers(0, 8),
    st.sampled_from("0123456789"),
)
def test_one_check_digit_fits_and_no_single_wrong_digit_passes(first, middle, place, other):
    valid = [first + middle + last for last in "0123456789" if npi.is_valid(first + middle + last)]
    assert len(valid) == 1
    number = valid[0]
    changed = number[:place] + other + number[place + 1 :]
    assert changed == number or not npi.is_valid(changed)
