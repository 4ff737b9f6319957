from datetime import datetime, timedelta

import pytest

from simulator.server import Simulator

from .conftest import EPOCH, Client


def login(api, scope="id", **changes):
    account, project = api.world.accounts[1], api.world.projects[4]
    user = {
        "name": account.username,
        "password": account.password,
        "domain": {"name": account.domain},
    } | changes
    chosen = {"id": project.project_id} if scope == "id" else {"name": project.region}
    return api.plain(
        "/v3/auth/tokens",
        "POST",
        json={
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": chosen if scope else {}},
            }
        },
    )


def with_token(api, token, index=4):
    return api.plain(api.project(index), headers={"X-Auth-Token": token})


@pytest.mark.parametrize("scope", ["id", "name"])
def test_user_and_password_give_a_token_for_the_project(api, scope):
    response = login(api, scope)
    assert response.status_code == 201
    assert with_token(api, response.headers["X-Subject-Token"]).status_code == 200
    assert response.json()["token"]["project"]["id"] == api.world.projects[4].project_id


def test_the_expiry_of_a_token_has_microseconds(api, clock):
    expires = login(api).json()["token"]["expires_at"]
    read = datetime.strptime(expires, "%Y-%m-%dT%H:%M:%S.%f%z")
    assert len(expires) == 27 and read == clock() + timedelta(hours=24)


def test_an_expired_token_is_refused_as_expired(api, clock):
    token = login(api).headers["X-Subject-Token"]
    clock.forward(hours=24)
    response = with_token(api, token)
    assert (response.status_code, response.json()["error_code"]) == (401, "DCS.1002")


def test_the_lifetime_of_tokens_can_be_set(clock):
    lifetime = timedelta(seconds=90)
    with Simulator(
        instances=6, restores=9, epoch=EPOCH, clock=clock, token_lifetime=lifetime
    ) as running:
        api = Client(running)
        token = login(api).headers["X-Subject-Token"]
        clock.forward(seconds=89)
        assert with_token(api, token).status_code == 200
        clock.forward(seconds=1)
        assert with_token(api, token).status_code == 401


@pytest.mark.parametrize(
    ("token", "code"), [("", "DCS.1003"), ("x", "DCS.1001"), ("MIIsim.e30=.00", "DCS.1001")]
)
def test_each_invalid_token_has_its_own_error(api, token, code):
    response = with_token(api, token)
    assert (response.status_code, response.json()["error_code"]) == (401, code)


def test_a_token_is_valid_for_its_own_project_only(api):
    token = login(api).headers["X-Subject-Token"]
    for other in (0, 5):
        response = with_token(api, token, other)
        assert (response.status_code, response.json()["error_code"]) == (401, "DCS.1004")


@pytest.mark.parametrize("wrong", [{"password": "no"}, {"name": "no"}, {"domain": {"name": "no"}}])
def test_wrong_names_and_passwords_get_a_nested_401(api, wrong):
    response = login(api, **wrong)
    assert response.status_code == 401 and response.json()["error"]["code"] == 401


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"auth": {"identity": 3}}', "nonsense"])
def test_a_body_that_is_not_a_login_gets_a_400(api, body):
    assert api.plain("/v3/auth/tokens", "POST", data=body).status_code == 400


def test_a_token_survives_a_restart_of_the_simulator(api, clock):
    token = login(api).headers["X-Subject-Token"]
    with Simulator(seed=7, instances=40, restores=900, epoch=EPOCH, clock=clock) as again:
        assert with_token(Client(again), token).status_code == 200
    with Simulator(seed=8, instances=40, restores=900, epoch=EPOCH, clock=clock) as another:
        assert with_token(Client(another), token).status_code == 401


def test_projects_are_listed_by_region_for_their_owner_only(api):
    everything = api("/v3/auth/projects").json()["projects"]
    assert [each["name"] for each in everything] == [
        project.region for project in api.world.projects[:4]
    ]
    one = api("/v3/projects", params={"name": "cn-east-3"}).json()["projects"]
    assert [each["id"] for each in one] == [api.world.projects[2].project_id]
    token = {"X-Auth-Token": login(api).headers["X-Subject-Token"]}
    assert len(api.plain("/v3/projects", headers=token).json()["projects"]) == 2
    assert api.plain("/v3/projects").status_code == 401
