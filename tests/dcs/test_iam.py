import pytest

from restores.dcs.auth import SignedAuth
from restores.dcs.client import ApiClient
from restores.dcs.errors import InvalidResponse
from restores.dcs.iam import DiscoveredProject, accessible_projects
from tests.dcs.conftest import SECRETS, error_of, reply

NAMES = ["eu-de", "eu-de_shop", "eu-nl", "MOS"]
ROWS = [{"id": f"p-{name}", "name": name} for name in NAMES]


@pytest.fixture
def iam(server, session):
    """A client of an IAM that lists the four projects."""
    server.replies(reply(200, {"projects": ROWS}))
    return ApiClient(session, server.url, SignedAuth(*SECRETS), lambda: None)


def test_only_projects_of_the_endpoints_region_are_listed(iam):
    assert accessible_projects(iam, "https://dcs.eu-de.cloud.example") == [
        DiscoveredProject(project_id="p-eu-de", name="eu-de"),
        DiscoveredProject(project_id="p-eu-de_shop", name="eu-de_shop"),
    ]


def test_an_endpoint_without_a_region_gets_all_projects(iam):
    assert len(accessible_projects(iam, "https://dcs.example")) == 4


def test_disabled_projects_and_rows_without_an_id_are_left_out(server, iam):
    rows = [
        {"id": "off", "name": "eu-de_off", "enabled": False},
        {"id": "domain", "name": "eu-de", "is_domain": True},
        {"id": "two words", "name": "eu-de"},
        {"name": "no id"},
        "odd",
        ROWS[0],
    ]
    server.replies(reply(200, {"projects": rows}))
    assert [p.project_id for p in accessible_projects(iam, "https://dcs.example")] == ["p-eu-de"]


@pytest.mark.parametrize(
    "body",
    [{"projects": None}, {"projects": {}}, {}, None, [], "projects", {"projects": "none"}],
)
def test_a_response_without_a_list_of_projects_is_invalid(server, iam, body):
    server.replies(reply(200, body))
    error = error_of(lambda: accessible_projects(iam, "https://dcs.example"))
    assert type(error) is InvalidResponse


def test_no_content_is_not_a_list_of_projects(server, iam):
    server.replies(reply(204))
    assert (
        type(error_of(lambda: accessible_projects(iam, "https://dcs.example"))) is InvalidResponse
    )
