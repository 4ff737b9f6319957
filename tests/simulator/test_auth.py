import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAME = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12
)


def flipped(index):
    """Change one of the signature's 64 digits, which end the header."""

    def change(header):
        rest, signature = header[:-64], list(header[-64:])
        signature[index] = "1" if signature[index] == "0" else "0"
        return rest + "".join(signature)

    return change


def error_of(response):
    return response.status_code, response.json()["error_code"]


def test_a_valid_signature_is_accepted(api):
    assert api(api.project()).status_code == 200


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(index=st.integers(0, 63))
def test_a_signature_with_one_wrong_byte_is_refused(api, index):
    assert error_of(api(api.project(), Authorization=flipped(index))) == (401, "APIGW.0301")
    api.clock.forward(minutes=6)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(params=st.dictionaries(st.sampled_from(["name", "ip", "x y", "é", "a~b"]), NAME))
def test_any_query_signed_by_the_sdk_is_accepted(api, params):
    assert api(api.project(), params=params).status_code == 200


def test_a_query_changed_after_signing_is_refused(api):
    headers = api.signed(api.project(), params={"limit": 10})
    response = api.plain(api.project(), params={"limit": 11}, headers=headers)
    assert error_of(response) == (401, "APIGW.0301")


def test_a_body_changed_after_signing_is_refused(api):
    path = api.instance(api.busiest())
    headers = api.signed(path, "POST", body='{"backup_id":"a"}')
    response = api.plain(path, "POST", data='{"backup_id":"b"}', headers=headers)
    assert error_of(response) == (401, "APIGW.0301")


@pytest.mark.parametrize("name", ["host", "x-sdk-date"])
def test_host_and_date_must_be_signed(api, name):
    response = api(
        api.project(), Authorization=lambda header: re.sub(f"{name};|;{name}", "", header)
    )
    assert error_of(response) == (401, "APIGW.0301")
    assert name in response.json()["error_msg"]


def test_an_unknown_key_and_a_missing_signature_are_refused(api):
    unknown = api(api.project(), Authorization=lambda h: h.replace(api.key.access, "NOBODY"))
    assert error_of(unknown) == (401, "APIGW.0301") and "NOBODY" in unknown.json()["error_msg"]
    assert error_of(api.plain(api.project())) == (401, "APIGW.0301")


def test_another_algorithm_is_refused(api):
    response = api(
        api.project(), Authorization=lambda h: h.replace("SDK-HMAC-SHA256", "V11-HMAC-SHA256")
    )
    assert error_of(response) == (401, "APIGW.0301")


def test_a_signature_more_than_fifteen_minutes_off_is_refused(api, clock):
    for seconds, expected in ((-901, 401), (-900, 200), (900, 200), (901, 401)):
        headers = api.signed(api.project())
        clock.forward(seconds=seconds)
        response = api.plain(api.project(), headers=headers)
        assert response.status_code == expected
        if expected == 401:
            assert response.json()["error_code"] == "APIGW.0303"


def test_five_wrong_signatures_lock_the_key_for_five_minutes(api, clock):
    for _ in range(5):
        assert "verify" in api(api.project(), Authorization=flipped(3)).json()["error_msg"]
    locked = api(api.project())
    assert error_of(locked) == (401, "APIGW.0301") and "locked" in locked.json()["error_msg"]
    clock.forward(minutes=4, seconds=59)
    assert api(api.project()).status_code == 401
    clock.forward(seconds=1)
    assert api(api.project()).status_code == 200


def test_a_success_resets_the_count_of_failures(api):
    for _ in range(3):
        for _ in range(4):
            assert api(api.project(), Authorization=flipped(3)).status_code == 401
        assert api(api.project()).status_code == 200
