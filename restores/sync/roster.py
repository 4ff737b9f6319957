"""Who is monitored, under which name: from the projects file and from what accounts were found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.crypto import salted_hmac

from restores.dcs import config
from restores.dcs.iam import FoundProject
from restores.models import Account, Project


@transaction.atomic
def enrol(projects: config.Projects) -> None:
    """Create, rename and retire accounts and projects; unchanged rows are not written.

    A project is its endpoint and ``project_id``: a renamed section renames it, a removed one
    keeps its rows and is no longer monitored. An account's endpoint that changes takes its projects
    along. What was found for an account there stays.
    """
    accounts = {name: _account(section) for name, section in projects.accounts.items()}
    kept = _enrolled(projects.projects.values(), accounts)
    retired = Project.objects.monitored().exclude(pk__in=kept)
    for name, section in projects.accounts.items():
        if section.discovery:
            retired = retired.exclude(account=accounts[name], endpoint=section.endpoint)
    retired.update(monitored=False)


@transaction.atomic
def enrol_found(
    account: Account, section: config.Account, named: Collection[str], found: Sequence[FoundProject]
) -> str:
    """Watch the projects found for an account, besides those ``named`` in the file.

    Returns why those that are missing are not believed to be gone, "" if they are.
    """
    ours = Project.objects.monitored().filter(account=account, endpoint=section.endpoint)
    ours = ours.exclude(project_id__in=named)
    before = set(ours.values_list("project_id", flat=True))
    others = Project.objects.monitored().exclude(pk__in=ours.values("pk"))
    taken = set(others.values_list("name", flat=True))
    foreign = set(others.filter(endpoint=section.endpoint).values_list("project_id", flat=True))
    fresh = [project for project in found if project.project_id not in foreign | set(named)]
    _enrolled([_section(project, section, taken) for project in fresh], {section.name: account})
    gone = before - {project.project_id for project in fresh}
    if gone and (not found or (len(gone) > 5 and len(gone) > len(before) / 5)):
        return f"{len(gone)} of {len(before)} projects are missing from the list all at once."
    ours.filter(project_id__in=gone).update(monitored=False)
    return ""


def _section(found: FoundProject, account: config.Account, taken: set[str]) -> config.Project:
    discovery = account.discovery
    # Built-in projects are called like their region, in every account.
    name = found.name if found.name not in taken else f"{found.name} ({account.name})"[:100]
    return config.Project(
        name=name,
        account=account,
        project_id=found.project_id,
        region=found.region,
        interval=discovery.interval if discovery else 15 * 60,
        customer=discovery.customer if discovery else "",
        customer_ref="",
        time_zone="",
    )


def _account(section: config.Account) -> Account:
    account, _ = Account.objects.get_or_create(name=section.name)
    # Keyed: nobody who gets hold of the database can try passwords against it.
    digest = salted_hmac("restores.account", section.digest, algorithm="sha256").hexdigest()
    if account.section_digest != digest:
        # Another credential deserves another try at once.
        Account.objects.filter(pk=account.pk).update(
            section_digest=digest,
            refusals=0,
            paused_until=None,
            next_discovery_at=None,
            sync_error_kind="",
            sync_error_message="",
            sync_error_since=None,
            sync_error_request_id="",
        )
    return account


def _enrolled(sections: Iterable[config.Project], accounts: Mapping[str, Account]) -> list[int]:
    rows = Project.objects.all()
    places = {(row.endpoint, row.project_id): row for row in rows}
    # An account has one endpoint: its rows at another are from before that was changed.
    before = {(row.account_id, row.project_id): row for row in rows}
    kept = []
    for section in sections:
        values = _values(section, accounts[section.account.name])
        place = section.account.endpoint, section.project_id
        known = places.get(place) or before.get((values["account"].pk, section.project_id))
        known = None if known and known.pk in kept else known
        row = {"endpoint": place[0], "project_id": place[1]}
        if known is None:
            known, _ = Project.objects.get_or_create(**row, defaults=values)
        values |= row
        kept.append(known.pk)
        if any(getattr(known, name) != value for name, value in values.items()):
            # A project that comes back is asked at once, and its instances listed anew.
            values |= {"next_sync_at": None, "next_discovery_at": None}
            Project.objects.filter(pk=known.pk).update(**values)
    return kept


def _values(section: config.Project, account: Account) -> dict[str, Any]:
    return {
        "account": account,
        "name": section.name,
        "region": section.region,
        "customer": section.customer,
        "customer_ref": section.customer_ref,
        "time_zone": section.time_zone,
        "interval": section.interval,
        "monitored": True,
    }
