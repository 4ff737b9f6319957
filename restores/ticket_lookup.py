"""Results of a lookup for one reader: rows of the database, or why there are none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import chain
from operator import or_
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import StrIndex

from restores.explain.codes import CATALOG
from restores.explain.refusals import refusal
from restores.lookup import Finding, Found
from restores.models import Backup, Instance, Project, Restore
from restores.querysets import RestoreQuerySet, Viewer, select
from restores.search import keys_containing
from restores.spellings import spellings

# The most rows of one kind that a beginning, a name or an address may lead to.
MAX_ROWS = 200
# The most restores found by text, visible to the reader or not.
_MAX_KEYS = 2_000
# The most names of restores and backups that are searched for, quoted ones first.
_MAX_NAMES = 10
# The most characters of languages without spaces that are searched for names of instances.
_MAX_UNSPACED = 4_000
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff][^\\s]*")
# Shorter ones are words: 生产 is "production".
_MIN_UNSPACED = 4
_NEWEST_FIRST = F("created_at").desc(nulls_last=True), "-pk"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBackup:
    """A backup: how often it was restored, and the newest of those restores.

    ``stored``: we have its own record, too, and not only those of its restores.
    """

    backup_id: str
    name: str
    instance: Instance
    stored: bool
    restored: int = 0
    last: Restore | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundInstance:
    """An instance: its newest restore, and whether any is unresolved or in progress."""

    instance: Instance
    last: Restore | None
    unresolved: bool
    running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something in the text that matches no row, with the likely reason."""

    finding: Finding
    reason: str


@dataclass(slots=True, kw_only=True)
class Results:
    """The results that the reader may see.

    ``matched`` are the findings that led to one row at least.
    """

    restores: list[Restore] = field(default_factory=list)
    backups: list[FoundBackup] = field(default_factory=list)
    instances: list[FoundInstance] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    matched: list[Finding] = field(default_factory=list)
    # In the order in which the text names what belongs to them; first those named unambiguously.
    customers: list[str] = field(default_factory=list)

    def add(self, kind: str, row: Any) -> None:
        """Add a row to the list of its kind, unless it is there already."""
        rows = getattr(self, kind)
        if row not in rows:
            rows.append(row)


class TicketLookup:
    """Looks up findings for a reader: a fixed number of queries, however many findings."""

    def __init__(self, found: Found, text: str, user: Viewer) -> None:
        self.found, self.text, self.user = found, text, user

    def results(self) -> Results:
        """Look everything up."""
        results, owners = Results(), []
        for finding in self.found.findings:
            rows, reason = self._rows(finding), ""
            if finding.kind in ("prefix", "ends") and (number := _distinct(rows)) > 1:
                rows, reason = [], f"{number} IDs match this. Add more characters."
            for name, row in rows:
                results.add(name, row)
            owners.append(_customers_of(row for name, row in rows if name != "codes"))
            if rows:
                results.matched.append(finding)
            elif reason or finding.certain:
                results.missing.append(
                    Missing(finding=finding, reason=reason or _REASONS[finding.kind])
                )
        for finding, instances in self._unspaced:
            results.matched.append(finding)
            for instance in instances:
                results.add("instances", instance)
            owners.append(_customers_of(instances))
        # An ID has one customer, while a name may be that of several customers' instances.
        owners.sort(key=lambda customers: len(customers) > 1)
        results.customers = list(dict.fromkeys(chain.from_iterable(owners)))
        return results

    def _rows(self, finding: Finding) -> list[tuple[str, Any]]:
        """The rows that a finding means, each with the list that it belongs to."""
        value = finding.value
        if finding.kind == "code":
            return [("codes", value)] if value in self._codes else []
        if finding.kind == "address":
            host = value.partition(":")[0]
            wanted = {value, host}
            return [
                ("instances", row)
                for row in self._instances
                if {row.instance.ip.casefold(), row.instance.domain.casefold()} & wanted
            ]
        same = _matcher(finding)
        return [
            *(
                ("restores", row)
                for row in self._restores
                if same(row.restore_id, row.restore_name)
            ),
            *(("backups", row) for row in self._backups if same(row.backup_id, row.name)),
            *(
                ("instances", row)
                for row in self._instances
                if same(row.instance.instance_id, row.instance.name)
            ),
            *(("projects", row) for row in self._projects if same(row.project_id, row.name)),
        ]

    @cached_property
    def _ids(self) -> set[str]:
        """Every spelling of every id, and of every name, which may be an id of another form."""
        return set().union(*(spellings(one.value) for one in self.found.of("id", "name")))

    @cached_property
    def _names(self) -> set[str]:
        return {finding.value for finding in self.found.of("name")}

    @cached_property
    def _heads(self) -> set[str]:
        """The beginnings of ids that were found only in part; hyphens come later."""
        parts = self.found.of("prefix", "ends")
        return {finding.value.partition("…")[0][:8] for finding in parts}

    @cached_property
    def _restores(self) -> list[Restore]:
        rows = self._visible_restores().filter(restore_id__lower__in=self._ids)
        return _unique([*rows[:MAX_ROWS], *self._restores_by_text])

    @cached_property
    def _restores_by_text(self) -> list[Restore]:
        """Restores by names and by beginnings of ids, theirs and those of their backups."""
        names = self.found.of("name")
        names.sort(key=lambda one: (not one.certain, not one.quoted))
        chosen = list(dict.fromkeys(one.value for one in names))[:_MAX_NAMES]
        condition = (
            Q(restore_name__in=chosen)
            | Q(backup_name__in=chosen)
            | self._begins("restore_id", "backup_id")
        )
        keys = keys_containing([*chosen, *self._heads], condition, _MAX_KEYS)
        return list(self._visible_restores().filter(pk__in=keys)[:MAX_ROWS]) if keys else []

    @cached_property
    def _in_visible_projects(self) -> Q:
        """The condition of the reader's projects, by key: a join would lead to another index."""
        if self.user.is_superuser:
            return Q()
        return Q(
            project__in=list(Project.objects.visible_to(self.user).values_list("pk", flat=True))
        )

    def _visible_restores(self) -> RestoreQuerySet:
        rows = Restore.objects.filter(self._in_visible_projects).defer("raw", "search")
        return rows.select_related("instance__project__account", "project__account")

    def _begins(self, *columns: str) -> Q:
        """The condition that one of these columns begins like an id that was found in part."""
        conditions = [
            Q(**{f"{column}__istartswith": head}) for head in self._heads for column in columns
        ]
        return reduce(or_, conditions, Q(pk__in=[]))

    @cached_property
    def _backups(self) -> list[FoundBackup]:
        """Backups by their own records, and by those of the restores that used them."""
        matching = Backup.objects.filter(
            Q(backup_id__lower__in=self._ids)
            | Q(backup_name__in=self._names)
            | self._begins("backup_id")
        )
        if not self.user.is_superuser:
            visible = Instance.objects.filter(self._in_visible_projects)
            matching = matching.filter(instance__in=visible)
        # The keys first: with a join, SQLite reads the backups of every instance.
        keys = list(matching.values_list("pk", flat=True)[:MAX_ROWS])
        stored = Backup.objects.filter(pk__in=keys).select_related("instance__project")
        rows = {(row.backup_id, row.instance_id): row for row in stored.defer("raw")}
        used: list[Restore | Backup] = [*self._restores_by_text, *rows.values()]
        ids = self._ids.union(row.backup_id.lower() for row in used)
        same = Restore.objects.filter(
            backup_id=OuterRef("backup_id"), instance=OuterRef("instance")
        ).order_by(*_NEWEST_FIRST)
        counts = (
            Restore.objects.filter(self._in_visible_projects, backup_id__lower__in=ids - {""})
            .order_by()
            .values("backup_id", "instance_id")
            .annotate(restored=Count("pk"), last=Subquery(same.values("pk")[:1]))
        )[:MAX_ROWS]
        restored = {(one["backup_id"], one["instance_id"]): one for one in counts}
        newest = self._visible_restores().filter(pk__in=[one["last"] for one in restored.values()])
        last = {row.pk: row for row in newest}
        found = []
        for key in dict.fromkeys([*rows, *restored]):
            row, count = rows.get(key), restored.get(key)
            restore = last.get(count["last"]) if count else None
            if owner := row or restore:
                found.append(
                    FoundBackup(
                        backup_id=key[0],
                        name=owner.backup_name,
                        instance=owner.instance,
                        stored=row is not None,
                        restored=count["restored"] if count else 0,
                        last=restore,
                    )
                )
        return found

    @cached_property
    def _instances(self) -> list[FoundInstance]:
        addresses = self.found.of("address")
        hosts = {spelled for one in addresses for spelled in _hosts(one.value)}
        return self._described(
            Q(instance_id__lower__in=self._ids)
            | Q(name__in=self._names)
            | Q(ip__in=hosts)
            | Q(domain__in=hosts)
            | self._begins("instance_id")
        )

    def _described(self, condition: Q) -> list[FoundInstance]:
        """Instances that meet a condition, with what is shown about them."""
        of_one = Restore.objects.filter(instance=OuterRef("pk"))
        rows = Instance.objects.filter(self._in_visible_projects, condition)
        rows = rows.select_related("project__account").order_by("name", "pk")
        instances = list(
            rows.annotate(
                newest=Subquery(of_one.order_by(*_NEWEST_FIRST).values("pk")[:1]),
                has_unresolved=Exists(of_one.unresolved()),
                has_running=Exists(of_one.in_progress()),
            )[:MAX_ROWS]
        )
        restores = self._visible_restores().filter(pk__in=[one.newest for one in instances])
        newest = {row.pk: row for row in restores}
        return [
            FoundInstance(
                instance=one,
                last=newest.get(one.newest),
                unresolved=one.has_unresolved,
                running=one.has_running,
            )
            for one in instances
        ]

    @cached_property
    def _unspaced(self) -> list[tuple[Finding, list[FoundInstance]]]:
        """Instances by names within text of a language without spaces."""
        parts = "\n".join(_UNSPACED.findall(self.text))[:_MAX_UNSPACED]
        if not parts:
            return []
        rows = Instance.objects.filter(self._in_visible_projects)
        rows = rows.exclude(name__in=["", *self._names])
        named = rows.annotate(place=StrIndex(Value(parts), F("name"))).filter(place__gt=0)
        names = set(named.order_by().values_list("name", flat=True)[:MAX_ROWS])
        found = {name: self.text.find(name) for name in names if _unlike_a_word(name)}
        instances = self._described(Q(name__in=found)) if found else []
        return [
            (
                Finding(kind="name", value=name, spans=((place, place + len(name)),)),
                [one for one in instances if one.instance.name == name],
            )
            for name, place in sorted(found.items(), key=lambda one: one[1])
            if place >= 0
        ]

    @cached_property
    def _projects(self) -> list[Project]:
        rows = Project.objects.visible_to(self.user).select_related("account")
        return list(
            rows.filter(
                Q(project_id__lower__in=self._ids)
                | Q(name__in=self._names)
                | self._begins("project_id")
            ).order_by("name", "pk")[:MAX_ROWS]
        )

    @cached_property
    def _codes(self) -> set[str]:
        """The codes that we explain, or that a restore has."""
        codes = [one.value for one in self.found.of("code")]
        known = {code for code in codes if code in CATALOG or refusal(code)}
        others = [code for code in codes if code not in known]
        if not others:
            return known
        visible = Restore.objects.filter(self._in_visible_projects)
        seen = select(self.user, *(Exists(visible.with_code([code])) for code in others))
        return known.union(code for code, there in zip(others, seen, strict=True) if there)


_REASONS = {
    "id": "No restore, backup, instance or project that you can see has this ID: "
    "it’s unknown, or in a project you don’t have access to.",
    "prefix": "No ID that you can see begins like this.",
    "ends": "No ID that you can see begins and ends like this.",
    "name": "No restore or backup that you can see has this name. "
    "Automatic backups are kept for up to 7 days.",
    "address": "No instance that you can see has this address.",
    "code": "We don’t know this code, and no restore that you can see has it.",
}


def _matcher(finding: Finding) -> Any:
    """Whether an id and a name are what was found."""
    if finding.kind == "name":
        spelled = spellings(finding.value)
        return lambda row_id, name: row_id.lower() in spelled or name == finding.value
    head, _, tail = finding.value.replace("-", "").partition("…")
    whole = finding.kind == "id"

    def same(row_id: str, name: str) -> bool:
        plain = row_id.replace("-", "").lower()
        if whole:
            return plain == head
        return plain.startswith(head) and plain.endswith(tail)

    return same


def _hosts(address: str) -> set[str]:
    """How the address of an instance may be stored."""
    host = address.partition(":")[0]
    return {address, host, address.upper(), host.upper()}


def _unlike_a_word(name: str) -> bool:
    return len(name) >= _MIN_UNSPACED and not name.isascii()


def _distinct(rows: Iterable[tuple[str, Any]]) -> int:
    """How many different ids some rows have."""
    return len({_id_of(row) for _, row in rows})


def _id_of(row: Restore | FoundBackup | FoundInstance | Project) -> str:
    match row:
        case Restore():
            return row.restore_id
        case FoundBackup():
            return row.backup_id
        case FoundInstance():
            return row.instance.instance_id
        case Project():
            return row.project_id


def _project_of(row: Restore | FoundBackup | FoundInstance | Project) -> Project:
    if isinstance(row, Project):
        return row
    return row.project if isinstance(row, Restore) else row.instance.project


def _customers_of(rows: Iterable[Restore | FoundBackup | FoundInstance | Project]) -> list[str]:
    return list(dict.fromkeys(filter(None, (_project_of(row).customer for row in rows))))


def _unique(rows: Sequence[Restore]) -> list[Restore]:
    return list({row.pk: row for row in rows}.values())
