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


def refusal(answer):
    return answer.status_code, answer.json()["error_code"]


def test_a_right_signature_is_let_in(ask):
    assert ask(ask.project()).status_code == 200


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(index=st.integers(0, 63))
def test_a_signature_with_one_wrong_byte_is_refused(ask, index):
    assert refusal(ask(ask.project(), Authorization=flipped(index))) == (401, "APIGW.0301")
    ask.clock.forward(minutes=6)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(params=st.dictionaries(st.sampled_from(["name", "ip", "x y", "é", "a~b"]), NAME))
def test_any_query_signed_by_the_sdk_is_let_in(ask, params):
    assert ask(ask.project(), params=params).status_code == 200


def test_a_query_changed_on_the_way_is_refused(ask):
    headers = ask.signed(ask.project(), params={"limit": 10})
    answer = ask.plain(ask.project(), params={"limit": 11}, headers=headers)
    assert refusal(answer) == (401, "APIGW.0301")


def test_a_body_changed_on_the_way_is_refused(ask):
    path = ask.instance(ask.busiest())
    headers = ask.signed(path, "POST", body='{"backup_id":"a"}')
    answer = ask.plain(path, "POST", data='{"backup_id":"b"}', headers=headers)
    assert refusal(answer) == (401, "APIGW.0301")


@pytest.mark.parametrize("name", ["host", "x-sdk-date"])
def test_host_and_date_must_be_signed(ask, name):
    answer = ask(ask.project(), Authorization=lambda header: re.sub(f"{name};|;{name}", "", header))
    assert refusal(answer) == (401, "APIGW.0301")
    assert name in answer.json()["error_msg"]


def test_an_unknown_key_and_no_authentication_at_all_are_refused(ask):
    stranger = ask(ask.project(), Authorization=lambda h: h.replace(ask.key.access, "NOBODY"))
    assert refusal(stranger) == (401, "APIGW.0301") and "NOBODY" in stranger.json()["error_msg"]
    assert refusal(ask.plain(ask.project())) == (401, "APIGW.0301")


def test_another_algorithm_is_refused(ask):
    answer = ask(
        ask.project(), Authorization=lambda h: h.replace("SDK-HMAC-SHA256", "V11-HMAC-SHA256")
    )
    assert refusal(answer) == (401, "APIGW.0301")


def test_a_signature_over_fifteen_minutes_old_or_early_is_refused(ask, clock):
    for seconds, expected in ((-901, 401), (-900, 200), (900, 200), (901, 401)):
        headers = ask.signed(ask.project())
        clock.forward(seconds=seconds)
        answer = ask.plain(ask.project(), headers=headers)
        assert answer.status_code == expected
        if expected == 401:
            assert answer.json()["error_code"] == "APIGW.0303"


def test_five_wrong_signatures_lock_the_key_for_five_minutes(ask, clock):
    for _ in range(5):
        assert "verify" in ask(ask.project(), Authorization=flipped(3)).json()["error_msg"]
    locked = ask(ask.project())
    assert refusal(locked) == (401, "APIGW.0301") and "locked" in locked.json()["error_msg"]
    clock.forward(minutes=4, seconds=59)
    assert ask(ask.project()).status_code == 401
    clock.forward(seconds=1)
    assert ask(ask.project()).status_code == 200


def test_a_success_between_failures_starts_the_count_anew(ask):
    for _ in range(3):
        for _ in range(4):
            assert ask(ask.project(), Authorization=flipped(3)).status_code == 401
        assert ask(ask.project()).status_code == 200
