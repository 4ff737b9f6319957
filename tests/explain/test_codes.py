"""Every error code is explained, and an unknown one is shown verbatim."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restores.explain.codes import CATALOG, explain


def test_the_eight_documented_codes_are_in_the_catalogue():
    assert sorted(CATALOG) == [f"dcs.08.000{n}" for n in range(1, 9)]


@pytest.mark.parametrize("code", CATALOG.values(), ids=str)
def test_every_code_says_what_it_means_and_what_to_do(code):
    assert code.known
    assert code.meaning.endswith(".") and code.advice.endswith(".")
    assert code.data_at_risk in ("yes", "no", "unlikely", "unknown")
    assert len(code.reason.split()) <= 7 and len(code.reason) <= 40
    assert all((code.during, code.headline, code.retry, code.owner))


def test_a_code_is_found_ignoring_case():
    assert explain(" DCS.08.0007 ") is CATALOG["dcs.08.0007"]
    assert explain("dcs.08.0007").data_at_risk == "yes"


def test_an_unknown_code_is_kept_verbatim_and_called_unknown():
    code = explain("Dcs.99.0001")
    assert (code.code, code.known) == ("Dcs.99.0001", False)
    assert (code.reason, code.during) == ("Unknown error code", "with an unknown error code")


def test_a_failure_without_a_code_says_so():
    assert explain("").reason == "No error code reported"


@settings(max_examples=50)
@given(st.text())
def test_any_text_is_explained(text):
    assert "None" not in explain(text).reason
