"""The OpenAPI document: it has every JSON address, and the responses are as it says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from restores.api_tokens import PER_MINUTE, issue
from restores.filters import (
    DowntimeParams,
    InstanceListParams,
    ListParams,
    OverviewParams,
    SyncStatusParams,
)
from restores.filters.params import INSTANCE_SORTS, SORTS
from restores.models import ApiToken, Backup, Instance
from restores.querysets import INSTANCE_STATES
from restores.timerange import ON
from restores.urls import urlpatterns
from tests.factories import (
    NOW,
    make_instance,
    make_observation,
    make_project,
    make_restore,
    update_instances,
)

DOCUMENT = Path(__file__).parent.parent / "docs/openapi.json"
OPENAPI = json.loads(DOCUMENT.read_text())
ROUTES = {
    "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(route.pattern)): route
    for route in urlpatterns
    if str(route.pattern).endswith(".json")
}
FILLED = {"restore_id": "r-failed", "instance_id": "i-1", "code": "dcs.08.0007"}


def resolved(part):
    """A part of the document, or the one that its reference names."""
    while "$ref" in part:
        name = part["$ref"].removeprefix("#/components/")
        kind, _, key = name.partition("/")
        part = OPENAPI["components"][kind][key]
    return part


def operations():
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def parameters_of(path, method="get"):
    found = map(resolved, OPENAPI["paths"][path][method].get("parameters", ()))
    return {one["name"] for one in found if one["in"] == "query"}


def closed(schema):
    """The same schema without room for fields that it doesn't name."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: closed(one) for name, one in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        copy["additionalProperties"] = False
    return copy


def assert_valid(tmp_path, responses):
    """Check responses, (path, method, response), against the document."""
    bodies, schemas = {}, {}
    for number, (path, method, response) in enumerate(responses):
        answers = OPENAPI["paths"][path][method]["responses"]
        answer = resolved(answers[str(response.status_code)])
        for name, header in answer.get("headers", {}).items():
            assert name in response.headers or not resolved(header).get("required"), name
        name = f"{number} {method} {path} {response.status_code}"
        bodies[name] = response.json()
        schemas[name] = answer["content"]["application/json"]["schema"]
    components = OPENAPI["components"]
    schema = {"type": "object", "properties": schemas, "components": components}
    (tmp_path / "schema.json").write_text(json.dumps(closed(schema)))
    (tmp_path / "bodies.json").write_text(json.dumps(bodies))
    command = Path(sys.executable).with_name("check-jsonschema")
    files = ["--schemafile", tmp_path / "schema.json", tmp_path / "bodies.json"]
    done = subprocess.run([command, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_document_has_every_json_address_and_no_other():
    assert set(OPENAPI["paths"]) == set(ROUTES)


def test_every_reference_in_the_document_leads_somewhere():
    for name in re.findall(r'"\$ref": "#/components/([^"]+)"', DOCUMENT.read_text()):
        kind, _, key = name.partition("/")
        assert key in OPENAPI["components"][kind]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/restores.json", ListParams),
        ("/overview.json", OverviewParams),
        ("/instances.json", InstanceListParams),
        ("/sync-status.json", SyncStatusParams),
        ("/reports/downtime.json", DowntimeParams),
    ],
)
def test_the_document_has_every_parameter_and_no_other(path, params):
    assert parameters_of(path) == {*params.DECLARED, *params.SHORTHAND}


def choices_of(path, name):
    """The values of a parameter that the document lists, without the empty one."""
    [schema] = [
        one["schema"]
        for one in map(resolved, OPENAPI["paths"][path]["get"]["parameters"])
        if one["name"] == name
    ]
    return {*schema.get("items", schema)["enum"]} - {""}


def test_the_document_has_every_choice_of_a_parameter():
    assert choices_of("/restores.json", "on") == {*ON}
    assert choices_of("/restores.json", "sort") == {*SORTS, *(f"-{name}" for name in SORTS)}
    sorts = {*INSTANCE_SORTS, *(f"-{name}" for name in INSTANCE_SORTS)}
    assert choices_of("/instances.json", "sort") == sorts
    assert choices_of("/instances.json", "state") == {*INSTANCE_STATES}


@pytest.fixture
def world(web):
    """Something of each kind: every status, a backup, a sync error, an ID in two projects."""
    instance = make_instance("cart-prod", instance_id="i-1")
    error = {"kind": "unreachable", "message": "No route", "since": NOW}
    update_instances(
        Instance.objects.filter(pk=instance.pk),
        **{f"sync_error_{name}": value for name, value in error.items()},
    )
    Backup.objects.create(
        instance=instance, backup_id="b-1", size=1, first_seen_at=NOW, changed_at=NOW
    )
    for status in ("waiting", "restoring", "succeed", "odd", ""):
        make_restore(f"r-{status}", instance=instance, status=status, backup_id="b-1")
    failed = make_restore("r-failed", status="failed", error_code="dcs.08.0007", raw='{"a": 1}')
    make_restore("r-undated", status="failed", created_at=None, error_code="dcs.99.0001")
    make_observation(failed, NOW, status="failed", progress=63.0)
    for name in ("one", "two"):
        other = make_instance(name, instance_id="i-2", project=make_project(f"p-{name}"))
        make_restore("r-shared", instance=other)
    return web


def url_of(path):
    return re.sub(r"{(\w+)}", lambda match: FILLED[match[1]], path)


QUERIES = [
    ("/overview.json", "?from=now-30d&unknown=1"),
    ("/restores.json", "?size=10&ids=r-failed,b-1,i-1,nobody&customer=nobody"),
    ("/restores.json", "?asof=2026-11-01T00:00Z&sort=-ended"),
    ("/restores.json", "?q=restore&status=failed&recovered=no&code=any"),
    ("/instances.json", "?state=problem&sort=-complete&size=10"),
    ("/reports/downtime.json", "?from=2026-11&customer=Shopwell&audience=customer"),
    ("/lookup.json", "?q=r-failed b-1 i-1 dcs.08.0007 r-4711 2026-11-01 14:03 shop-prod"),
    ("/time-range.json", "?from=now-7d"),
    ("/time-range.json", "?from=sometimes"),
    ("/time-zones.json", "?q=berlin"),
]


def test_what_is_found_is_as_the_document_says(world, tmp_path):
    responses = [(path, "get", world.get(url_of(path))) for path in ROUTES]
    responses += [(path, "get", world.get(path + query)) for path, query in QUERIES]
    responses += [
        ("/restores/{restore_id}.json", "get", world.get("/restores/r-shared.json")),
        ("/instances/{instance_id}.json", "get", world.get("/instances/i-2.json")),
        ("/codes/{code}.json", "get", world.get("/codes/DCS.4017.json")),
        ("/lookup.json", "post", world.post("/lookup.json", {"text": "r-failed"})),
    ]
    assert {response.status_code for *_, response in responses} == {200}
    assert_valid(tmp_path, responses)


WRONG = {
    "/overview.json": "?from=x",
    "/restores.json": "?size=x&page=0&sort=x",
    "/restores/{restore_id}.json": "?asof=x",
    "/instances.json": "?state=x",
    "/reports/downtime.json": "?audience=x",
    "/lookup.json": "?q=a&q=b",
    "/sync-status.json": "?page=x",
}


def test_errors_are_as_the_document_says(world, root, tmp_path):
    responses = [(path, "get", Client().get(url_of(path))) for path in ROUTES]
    assert {response.status_code for *_, response in responses} == {401}
    # A strict client, because a browser of another site has no token for the form.
    strict = Client(enforce_csrf_checks=True)
    refused = [(path, "get", strict.delete(url_of(path))) for path in ROUTES]
    assert {response.status_code for *_, response in refused} == {405}
    invalid = [(path, "get", world.get(url_of(path) + query)) for path, query in WRONG.items()]
    invalid.append(("/codes/{code}.json", "get", world.get("/codes/~21.json")))
    assert {response.status_code for *_, response in invalid} == {400}
    missing = [
        ("/restores/{restore_id}.json", "get", world.get("/restores/nobody.json")),
        ("/instances/{instance_id}.json", "get", world.get("/instances/nobody.json")),
    ]
    assert {response.status_code for *_, response in missing} == {404}
    _, text = issue(root, "Report", (), 1, timezone.now())
    ApiToken.objects.update(requests=PER_MINUTE, last_used_at=timezone.now())
    headers = {"authorization": f"Bearer {text}"}
    throttled = [(path, "get", Client().get(url_of(path), headers=headers)) for path in ROUTES]
    assert {response.status_code for *_, response in throttled} == {429}
    assert_valid(tmp_path, [*responses, *refused, *invalid, *missing, *throttled])
