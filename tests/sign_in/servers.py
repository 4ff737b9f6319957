"""Starts the provider and the dashboard for tests, and signs people in without a browser."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import requests

from tests.sign_in.provider import CLIENT_ID, CLIENT_SECRET, Provider, running

ROOT = Path(__file__).parent.parent.parent
GROUPS = """
[groups.operators]
superuser = true

["groups"."Shop support"]
role = "support"
projects = ["shop-prod", "shop-test"]

[groups.readers]
role = "viewer"
projects = "all"
"""
DATABASE = "dashboard.sqlite3"
PASSWORD = "a long secret"


@dataclass
class Dashboard:
    """A running web process, its provider and its database."""

    url: str
    folder: Path
    provider: Provider
    environment: dict[str, str]

    def command(self, *arguments):
        """What a management command prints."""
        command = [sys.executable, ROOT / "manage.py", *arguments]
        done = subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def set_clock(self, seconds):
        """Let the dashboard's clock stand still at this time."""
        (self.folder / "clock").write_text(str(seconds))

    def rows(self, query, *values):
        with closing(sqlite3.connect(self.folder / DATABASE)) as connection:
            return connection.execute(query, values).fetchall()

    def roles(self, username):
        """The roles of a user by project."""
        query = (
            "select project.name, role from restores_membership as membership "
            "join restores_project as project on project.id = membership.project_id "
            "join auth_user as user on user.id = user_id where username = ?"
        )
        return dict(self.rows(query, username))

    def events(self, username):
        """What the audit log has on a user, oldest first."""
        query = "select what, subject from restores_event where username = ? order by id"
        return self.rows(query, username)


class Visitor(requests.Session):
    """Somebody with a browser, as far as pages and forms go."""

    def __init__(self, dashboard):
        super().__init__()
        self.trust_env, self.dashboard, self.page = False, dashboard, None

    def request(self, method, url, **options):
        url = self.dashboard.url + url if url.startswith("/") else url
        self.page = super().request(method, url, timeout=120, **options)
        return self.page

    def submit(self, path, **values):
        """Send the form of the current page."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.page.text)[1]
        data = {"csrfmiddlewaretoken": token} | values
        return self.post(path, data=data, headers={"Referer": self.page.url})

    def go_to_provider(self, deep_link=""):
        """Press "Sign in with Example", for a page if given; return the provider's page."""
        self.get("/login/", params={"next": deep_link})
        self.submit("/login/oidc/", next=deep_link)
        found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', self.page.text)
        return self.get(unescape(found[1])) if found else self.page

    def sign_in_by_provider(self, name, deep_link="", **given):
        """Sign in as somebody whom the provider knows; return the page that this ends at."""
        self.go_to_provider(deep_link)
        return self.post(self.page.url, data={"user": name} | given)

    def sign_in_by_password(self, name, deep_link="", path="/login/", password=PASSWORD):
        self.get(path, params={"next": deep_link})
        return self.submit(path, username=name, password=password, next=deep_link)

    def sign_out(self):
        self.get("/account/mfa/")
        return self.submit("/logout/")

    def projects(self):
        """The names of the projects that the visitor can see."""
        page = self.get("/sync-status.json")
        assert page.status_code == 200, page.status_code
        return {project["name"] for project in page.json()["projects"]}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def dashboard(folder, *users):
    """Run a provider, and a dashboard that knows it, with these users who have a password."""
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    provider, port = Provider(), free_port()
    groups = folder / "groups.toml"
    groups.write_text(GROUPS)
    with running(provider):
        keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = keep | {
            "SECRET_KEY": "only-for-tests-" * 4,
            "BASE_URL": f"http://localhost:{port}",
            "DATABASE_URL": f"sqlite:///{folder / DATABASE}",
            "STATIC_ROOT": str(folder),
            "MFA": "1",
            "OIDC_SERVER_URL": provider.url,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_NAME": "Example",
            "OIDC_SCOPES": "openid profile email groups",
            "OIDC_GROUPS": str(groups),
        }
        log = folder / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.sign_in.serve", str(port), folder / "clock", *users],
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                env=environment,
                cwd=ROOT,
            )
        try:
            assert process.stdout.readline() == "Ready\n", log.read_text()[-3000:]
            yield Dashboard(f"http://localhost:{port}", folder, provider, environment)
        finally:
            process.kill()
            process.wait()
        assert "Internal Server Error" not in log.read_text(), log.read_text()[-9000:]
