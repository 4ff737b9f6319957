import json

from restores.dcs.client import ApiClient
from restores.dcs.http import Response
from restores.dcs.iam import DiscoveredProject, accessible_projects


class Iam(ApiClient):
    """Lists the given rows."""

    def __init__(self, rows):
        self.rows = rows

    def get(self, path, params, **_):
        body = json.dumps({"projects": self.rows}).encode()
        return Response(request=None, status=200, headers={}, body=body)


NAMES = ["eu-de", "eu-de_shop", "eu-nl", "MOS"]
ROWS = [{"id": f"p-{name}", "name": name} for name in NAMES]


def test_only_projects_of_the_endpoint_s_region_are_listed():
    assert accessible_projects(Iam(ROWS), "https://dcs.eu-de.cloud.example") == [
        DiscoveredProject(project_id="p-eu-de", name="eu-de"),
        DiscoveredProject(project_id="p-eu-de_shop", name="eu-de_shop"),
    ]


def test_an_endpoint_without_a_region_gets_all_projects():
    assert len(accessible_projects(Iam(ROWS), "https://dcs.example")) == 4


def test_disabled_projects_and_rows_without_an_id_are_left_out():
    rows = [
        {"id": "off", "name": "eu-de_off", "enabled": False},
        {"id": "domain", "name": "eu-de", "is_domain": True},
        {"id": "two words", "name": "eu-de"},
        {"name": "no id"},
        "odd",
    ]
    assert accessible_projects(Iam(rows), "https://dcs.eu-de.example") == []
