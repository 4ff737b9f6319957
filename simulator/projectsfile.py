"""The projects file and environment with which the app finds this world."""

import json

from .cast import Account, Project
from .world import World

RATE = 50
INTERVAL = "1m"


def projects_file(world: World, url: str) -> str:
    """Return the world's accounts and projects as TOML."""
    sections = [_account(account, url) for account in world.accounts]
    return "\n".join([*sections, *(_project(project) for project in world.projects)])


def environment(world: World) -> dict[str, str]:
    """Return the secrets that the projects file names."""
    secrets: dict[str, str] = {}
    for account in world.accounts:
        if account.method == "aksk":
            secrets[_variable(account, "ACCESS_KEY")] = account.key.access
            secrets[_variable(account, "SECRET_KEY")] = account.key.secret
        else:
            secrets[_variable(account, "PASSWORD")] = account.password
    return secrets


def _account(account: Account, url: str) -> str:
    fields: dict[str, object] = {"endpoint": url, "rate": RATE, "method": account.method}
    if account.method == "aksk":
        fields["access_key_env"] = _variable(account, "ACCESS_KEY")
        fields["secret_key_env"] = _variable(account, "SECRET_KEY")
    else:
        fields["iam_endpoint"] = url
        fields["domain"] = account.domain
        fields["username"] = account.username
        fields["password_env"] = _variable(account, "PASSWORD")
    return _section(f"accounts.{account.name}", fields)


def _project(project: Project) -> str:
    return _section(
        f"projects.{project.name}",
        {
            "account": project.account.name,
            "project_id": project.project_id,
            "region": project.region,
            "interval": INTERVAL,
            "customer": project.customer,
            "customer_ref": f"C-{1001 + project.index}",
            "time_zone": project.zone.key,
        },
    )


def _section(title: str, fields: dict[str, object]) -> str:
    # A JSON text is a TOML basic string too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join([f"[{title}]", *lines, ""])


def _variable(account: Account, what: str) -> str:
    return f"{account.name.upper()}_{what}"
