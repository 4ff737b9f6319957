"""Every code is explained, and an unknown one is shown as it came."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.codes import CATALOGUE, explain


def test_the_eight_documented_codes_are_in_the_catalogue():
    assert sorted(CATALOGUE) == [f"dcs.08.000{n}" for n in range(1, 9)]


@pytest.mark.parametrize("code", CATALOGUE.values(), ids=str)
def test_every_code_says_what_it_means_and_what_to_do(code):
    assert code.known
    assert code.meaning.endswith(".") and code.advice.endswith(".")
    assert code.data_at_risk in ("yes", "no", "unclear")
    assert code.severity in ("high", "medium", "low")
    assert len(code.reason.split()) <= 7 and len(code.reason) <= 40
    assert all((code.during, code.headline, code.retry, code.who))


def test_a_code_is_found_whatever_its_letter_case():
    assert explain(" DCS.08.0007 ") is CATALOGUE["dcs.08.0007"]
    assert explain("dcs.08.0007").data_at_risk == "yes"


def test_an_unknown_code_keeps_its_spelling_and_says_that_it_is_unknown():
    code = explain("Dcs.99.0001")
    assert (code.code, code.known) == ("Dcs.99.0001", False)
    assert "not in our list" in code.reason and "not in our list" in code.during


def test_a_failure_without_a_code_says_so():
    assert explain("").reason == "No error code given"


@settings(max_examples=50)
@given(st.text())
def test_any_text_is_explained(text):
    assert "None" not in explain(text).reason
