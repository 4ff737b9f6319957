"""A small simulated cloud on loopback with a clock that tests set, and a client for it."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from simulator.server import Simulator

EPOCH = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved forward."""

    def __init__(self, instant):
        self.instant = instant

    def __call__(self):
        return self.instant

    def forward(self, **length):
        self.instant += timedelta(**length)


class Client:
    """Calls a simulator over HTTP, signed by the official SDK's signer."""

    def __init__(self, simulator):
        self.simulator, self.world, self.clock = simulator, simulator.world, simulator.clock
        self.key = self.world.accounts[0].key
        self.session = requests.Session()
        self.session.trust_env = False

    def __call__(self, path, method="GET", params=None, body="", **changes):
        headers = self.signed(path, method, params, body)
        for name, change in changes.items():
            headers[name] = change(headers[name])
        return self.session.request(
            method, self.simulator.url + path, params=params, data=body, headers=headers, timeout=9
        )

    def signed(self, path, method="GET", params=None, body=""):
        credentials = BasicCredentials(self.key.access, self.key.secret, "unused")
        headers = {
            "X-Sdk-Date": f"{self.clock():%Y%m%dT%H%M%SZ}",
            "Content-Type": "application/json",
        }
        if self.key.security_token:
            headers["X-Security-Token"] = self.key.security_token
        request = SdkRequest(
            method=method,
            schema="http",
            host=self.simulator.url.removeprefix("http://"),
            resource_path=path,
            query_params=list((params or {}).items()),
            header_params=headers,
            body=body,
        )
        return dict(Signer(credentials).sign(request).header_params)

    def plain(self, path, method="GET", **options):
        return self.session.request(method, self.simulator.url + path, timeout=9, **options)

    def project(self, index=0):
        return f"/v2/{self.world.projects[index].project_id}/instances"

    def instance(self, instance, call="/restores"):
        return f"/v2/{instance.project.project_id}/instances/{instance.instance_id}{call}"

    def busiest(self, index=0):
        there = self.world.instances_of(self.world.projects[index])
        return max(there, key=lambda each: len(self.world.restores(each, self.clock())))


@pytest.fixture
def clock():
    return Clock(EPOCH + timedelta(minutes=30))


@pytest.fixture
def simulator(clock):
    with Simulator(seed=7, instances=40, restores=900, epoch=EPOCH, clock=clock) as running:
        yield running


@pytest.fixture
def api(simulator):
    client = Client(simulator)
    yield client
    client.session.close()
