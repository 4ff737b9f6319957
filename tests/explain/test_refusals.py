"""The error codes with which DCS refuses to start a restore."""

import pytest

from restores.explain.refusals import REFUSALS, refusal


def test_the_whole_documented_table_is_included():
    numbers = (
        "4026 4049 4017 4086 4087 4095 4096 4097 4098 4104 4107 4108 4111 4113 4114 4115 4116 "
        "4117 4118 4120 4121 4231 4975 5090 5091 5092 5095 5082 5083 4101 4842"
    )
    assert set(REFUSALS) == {f"DCS.{number}" for number in numbers.split()}


@pytest.mark.parametrize("item", REFUSALS.values(), ids=str)
def test_every_refusal_has_a_meaning_and_advice(item):
    assert item.meaning.endswith(".") and item.advice.endswith(".")
    assert item.http in (400, 500)


@pytest.mark.parametrize("item", REFUSALS.values(), ids=str)
def test_every_refusal_says_who_acts_when_to_retry_and_whether_data_is_at_risk(item):
    assert item.owner and item.retry
    # Only a restore that broke off may have changed data.
    assert item.data_at_risk == ("unknown" if item.http == 500 else "no")
    assert ("wasn’t changed" in item.customer_message) is (item.data_at_risk == "no")


INTERNAL = "provider platform DCS restore_id script bucket agency ticket v1 escalate"


@pytest.mark.parametrize("item", REFUSALS.values(), ids=str)
def test_a_customer_reads_no_internal_word_and_no_code(item):
    text = item.customer_message
    assert text.startswith("The restore ") and text.endswith(".")
    assert not any(word in text for word in INTERNAL.split())
    assert item.code not in text and "http" not in text.casefold()


def test_a_refusal_is_found_by_its_code_and_by_its_v1_code():
    assert refusal("dcs.4097") is refusal("111400097") is REFUSALS["DCS.4097"]
    assert refusal("111500082") is REFUSALS["DCS.5082"]
    assert REFUSALS["DCS.4049"].v1_code == ""
    assert refusal("") is refusal("dcs.08.0007") is None


def test_a_platform_error_is_a_server_error_whatever_its_number():
    assert REFUSALS["DCS.4842"].http == 500
    assert REFUSALS["DCS.4097"].http == 400
