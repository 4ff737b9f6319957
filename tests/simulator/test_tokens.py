from datetime import datetime, timedelta

import pytest

from simulator.server import Simulator

from .conftest import BORN, Asking


def login(ask, scope="id", **changes):
    account, project = ask.world.accounts[1], ask.world.projects[4]
    user = {
        "name": account.username,
        "password": account.password,
        "domain": {"name": account.domain},
    } | changes
    chosen = {"id": project.project_id} if scope == "id" else {"name": project.region}
    return ask.plain(
        "/v3/auth/tokens",
        "POST",
        json={
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": chosen if scope else {}},
            }
        },
    )


def with_token(ask, token, index=4):
    return ask.plain(ask.project(index), headers={"X-Auth-Token": token})


@pytest.mark.parametrize("scope", ["id", "name"])
def test_user_and_password_give_a_token_that_opens_the_project(ask, scope):
    answer = login(ask, scope)
    assert answer.status_code == 201
    assert with_token(ask, answer.headers["X-Subject-Token"]).status_code == 200
    assert answer.json()["token"]["project"]["id"] == ask.world.projects[4].project_id


def test_the_token_says_to_the_microsecond_when_it_ends(ask, clock):
    expires = login(ask).json()["token"]["expires_at"]
    read = datetime.strptime(expires, "%Y-%m-%dT%H:%M:%S.%f%z")
    assert len(expires) == 27 and read == clock() + timedelta(hours=24)


def test_an_expired_token_is_refused_as_expired(ask, clock):
    token = login(ask).headers["X-Subject-Token"]
    clock.forward(hours=24)
    answer = with_token(ask, token)
    assert (answer.status_code, answer.json()["error_code"]) == (401, "DCS.1002")


def test_a_token_lives_as_long_as_monitored(clock):
    life = timedelta(seconds=90)
    with Simulator(instances=6, restores=9, born=BORN, clock=clock, token_life=life) as running:
        ask = Asking(running)
        token = login(ask).headers["X-Subject-Token"]
        clock.forward(seconds=89)
        assert with_token(ask, token).status_code == 200
        clock.forward(seconds=1)
        assert with_token(ask, token).status_code == 401


@pytest.mark.parametrize(
    ("token", "code"), [("", "DCS.1003"), ("x", "DCS.1001"), ("MIIsim.e30=.00", "DCS.1001")]
)
def test_what_is_no_token_is_refused_by_name(ask, token, code):
    answer = with_token(ask, token)
    assert (answer.status_code, answer.json()["error_code"]) == (401, code)


def test_a_token_opens_its_own_project_only(ask):
    token = login(ask).headers["X-Subject-Token"]
    for other in (0, 5):
        answer = with_token(ask, token, other)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "DCS.1004")


@pytest.mark.parametrize("wrong", [{"password": "no"}, {"name": "no"}, {"domain": {"name": "no"}}])
def test_wrong_names_and_passwords_get_a_nested_401(ask, wrong):
    answer = login(ask, **wrong)
    assert answer.status_code == 401 and answer.json()["error"]["code"] == 401


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"auth": {"identity": 3}}', "nonsense"])
def test_a_body_that_is_no_login_gets_400(ask, body):
    assert ask.plain("/v3/auth/tokens", "POST", data=body).status_code == 400


def test_a_token_outlives_a_restart_of_the_cloud(ask, clock):
    token = login(ask).headers["X-Subject-Token"]
    with Simulator(seed=7, instances=40, restores=900, born=BORN, clock=clock) as again:
        assert with_token(Asking(again), token).status_code == 200
    with Simulator(seed=8, instances=40, restores=900, born=BORN, clock=clock) as another:
        assert with_token(Asking(another), token).status_code == 401


def test_projects_are_listed_by_region_for_their_owner_only(ask):
    everything = ask("/v3/auth/projects").json()["projects"]
    assert [each["name"] for each in everything] == [
        project.region for project in ask.world.projects[:4]
    ]
    one = ask("/v3/projects", params={"name": "cn-east-3"}).json()["projects"]
    assert [each["id"] for each in one] == [ask.world.projects[2].project_id]
    token = {"X-Auth-Token": login(ask).headers["X-Subject-Token"]}
    assert len(ask.plain("/v3/projects", headers=token).json()["projects"]) == 2
    assert ask.plain("/v3/projects").status_code == 401
