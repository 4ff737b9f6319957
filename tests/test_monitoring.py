"""Alert rules, scrape configuration and Grafana dashboard in deploy/monitoring, by promtool."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from restores.metrics import metrics_text
from tests.factories import make_account, make_instance, make_restore

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy/monitoring"


def promtool(*arguments, **options):
    path = shutil.which("promtool") or pytest.skip("no promtool on PATH: see .ci/run")
    command = [path, *(str(part) for part in arguments)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, **options)
    return done.returncode, done.stdout + done.stderr


def rules():
    groups = YAML(typ="safe").load(FOLDER / "alerts.yaml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels():
    return json.loads((FOLDER / "dashboard.json").read_text())["panels"]


def expressions():
    """Every query of the dashboard, as Grafana sends it."""
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [text.replace("$__rate_interval", "2m").replace("$project", ".*") for text in found]


@pytest.fixture
def exported(db):
    """The names of all metrics that there may be."""
    make_restore("r", status="failed", instance=make_instance(sync_error_kind="gone"))
    make_account().call_counts.create(status="200", count=1)
    text = metrics_text().decode()
    return set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))


def metrics_in(text):
    return set(re.findall(r"\bdcs_restores_\w+", text))


def test_the_metrics_are_as_prometheus_wants_them(exported):
    assert promtool("check", "metrics", input=metrics_text().decode()) == (0, "")


def test_the_rules_and_the_scrape_configuration_are_valid(tmp_path):
    (tmp_path / "token").touch()
    shutil.copy(FOLDER / "alerts.yaml", tmp_path)
    text = (FOLDER / "prometheus.yaml").read_text()
    config = text.replace("/etc/prometheus/dcs-restores-token", str(tmp_path / "token"))
    (tmp_path / "prometheus.yaml").write_text(config)
    status, output = promtool("check", "config", tmp_path / "prometheus.yaml")
    assert status == 0, output
    assert f"{len(rules())} rules found" in output


def test_each_alert_fires_when_it_should_and_only_then():
    status, output = promtool("test", "rules", "alerts_test.yaml")
    assert status == 0, output


def test_each_alert_has_such_a_test_of_both():
    tests = YAML(typ="safe").load(FOLDER / "alerts_test.yaml")["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case["exp_alerts"]}
    rests = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert fires == rests == {rule["alert"] for rule in rules()}


def test_each_alert_leads_to_its_section_of_the_docs():
    headings = re.findall(r"^#+ (.*)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    for rule in rules():
        assert rule["alert"] in headings
        runbook = f"docs/operations.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook"] == runbook


def test_rules_and_dashboard_use_only_metrics_that_are_exported(exported):
    used = metrics_in((FOLDER / "alerts.yaml").read_text() + " ".join(expressions()))
    assert len(used) > 15 and used <= exported


def test_every_metric_is_on_the_dashboard_or_in_a_rule_and_in_the_docs(exported):
    used = metrics_in((FOLDER / "alerts.yaml").read_text() + " ".join(expressions()))
    assert exported == used
    assert exported <= metrics_in((ROOT / "docs/operations.md").read_text())


def test_every_query_of_the_dashboard_is_valid(tmp_path):
    records = [{"record": f"q:{number}", "expr": e} for number, e in enumerate(expressions())]
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": records}]}))
    status, output = promtool("check", "rules", "--lint=none", file)
    assert status == 0 and f"{len(records)} rules found" in output, output


def test_the_panels_of_the_dashboard_neither_overlap_nor_share_an_id():
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels())
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in panels()}) == len(panels())
