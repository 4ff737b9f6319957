"""Tables of the pages, declared with django-tables2."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

import django_tables2 as tables
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django_tables2.data import TableListData
from django_tables2.utils import AttributeDict, OrderBy

from restores.asof import diff_from_now
from restores.explain import codes
from restores.explain.estimates import format_clock
from restores.explain.summary import Facts, details
from restores.filters import ListParams, Params
from restores.filters.params import COLUMNS, DEFAULT_COLUMNS
from restores.formatting import ABSENT, format_percent, time_element
from restores.instance_status import instance_status, next_sync_at
from restores.models import Instance, Restore
from restores.restore_list.counts import Tab
from restores.restore_list.time_left import TimeLeft
from restores.statuses import (
    FAILED,
    IN_PROGRESS,
    RESTORING,
    STUCK,
    SUCCEEDED,
    Status,
    status_of,
)
from restores.sync_errors import first_sync_error
from restores.templatetags.components import instance_status_badge, status_badge
from restores.templatetags.display import short_timestamp
from restores.timerange import city, to_iso

# What the table and the estimates of time left read of each restore.
RESTORE_FIELDS = (
    "pk",
    "restore_id",
    "restore_name",
    "status",
    "progress",
    "error_code",
    "created_at",
    "ended_at",
    "duration",
    "recovered_at",
    "backup_taken_at",
    "removed_upstream_at",
    "moved_at",
    "missing_since",
    "first_seen_at",
    "changed_at",
    "instance_id",
    "instance__instance_id",
    "instance__name",
    "instance__complete_to",
    "project__name",
    "project__customer",
    "project__reports_progress",
)


class PageData(TableListData):
    """The rows of one page, already in order: the database sorts them, not the table."""

    def order_by(self, aliases: Any) -> None:
        """Leave the rows in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of a column: how the table is sorted by it, and the query string that turns it."""

    text: str
    attrs: AttributeDict
    direction: str
    sort_query: str


class Table(tables.Table):
    """A table of one page, sorted by the ``sort`` parameter of its list.

    ``order_by`` of a column is its name in that parameter. Every column has a method
    ``render_NAME(record)``. Stock django-tables2 resolves the attributes of ``td`` and inspects
    the signature of the method for each cell, which is most of the time of a page of 50 rows;
    here both are done once per table.
    """

    class Meta:
        template_name = "components/table.html"
        attrs = {"class": "rows"}

    def __init__(
        self, rows: Sequence[Any], params: Params, *, caption: str = "", **options: Any
    ) -> None:
        self.params, self.caption = params, caption
        sort = OrderBy(params.sort)
        names = [name for name, one in self.base_columns.items() if one.order_by == (sort.bare,)]
        order_by = [f"-{name}" if sort.is_descending else name for name in names]
        super().__init__(PageData(list(rows)), order_by=order_by, **options)

    def headers(self) -> Iterator[Header]:
        """The header of each column."""
        for column in self.columns:
            direction = query = ""
            if column.is_ordered:
                descending = column.order_by_alias.is_descending
                direction = "descending" if descending else "ascending"
            if column.orderable:
                (sort,) = column.column.order_by
                turned = sort.opposite if column.order_by_alias.next.is_descending else sort
                query = self.params.query(sort=turned) or "?"
            attrs = {"scope": "col", "aria-sort": direction or None, **column.attrs["th"]}
            yield Header(
                text=column.header,
                attrs=AttributeDict(attrs),
                direction=direction,
                sort_query=query,
            )

    def body(self) -> Iterator[tuple[Any, SafeString]]:
        """Each record with its finished row."""
        cells: list[tuple[str, Callable[[Any], str]]] = [
            (f"<td {column.attrs['td'].as_html()}>", getattr(self, f"render_{column.name}"))
            for column in self.columns
        ]
        for record in self.data:
            row = "".join([f"{td}{conditional_escape(cell(record))}</td>" for td, cell in cells])
            yield record, self.render_row(record, mark_safe(row))  # noqa: S308 - escaped above

    def render_row(self, record: Any, cells: SafeString) -> SafeString:
        """Wrap the cells of a record."""
        return format_html("<tr>{}</tr>", cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows under one heading; ``all_url`` leads to all of their kind if not all are here."""

    heading: str
    rows: list[SafeString]
    pinned: bool = False
    all_url: str = ""


class RestoreTable(Table):
    """The list of restores, in the time zone and as of the time of its query string."""

    created = tables.Column(
        "Created",
        order_by="created",
        initial_sort_descending=True,
        attrs={"td": {"class": "t"}},
    )
    ended = tables.Column(
        "Ended",
        order_by="ended",
        initial_sort_descending=True,
        attrs={"td": {"class": "t"}},
    )
    status = tables.Column("Status", order_by="status", attrs={"td": {"class": "s"}})
    instance = tables.Column("Instance", order_by="instance", attrs={"td": {"class": "wide"}})
    restore = tables.Column("Restore", orderable=False, attrs={"td": {"class": "wide"}})
    project = tables.Column("Project", orderable=False, attrs={"td": {"class": "wide"}})
    outcome = tables.Column(
        "Details",
        order_by="code",
        attrs={"th": {"class": "outcome"}, "td": {"class": "wide off"}},
    )
    took = tables.Column(
        "Duration",
        order_by="duration",
        initial_sort_descending=True,
        attrs={"th": {"class": "num"}, "td": {"class": "num side"}},
    )
    since = tables.Column("Outcome", orderable=False, attrs={"td": {"class": "off"}})
    backup = tables.Column(
        "Backup taken",
        orderable=False,
        attrs={"th": {"class": "backup num"}, "td": {"class": "backup num side"}},
    )

    class Meta(Table.Meta):
        template_name = "restores/list/table.html"

    def __init__(
        self,
        rows: Sequence[Any],
        params: ListParams,
        now: datetime,
        *,
        caption: str = "",
        changed: Mapping[int, Any] | None = None,
        pinned: Collection[int] = (),
        in_progress: Tab | None = None,
        time_left: Mapping[int, TimeLeft] | None = None,
    ) -> None:
        """Prepare the rows for printing.

        ``changed`` holds the current row of each restore that has changed since the snapshot,
        ``pinned`` the keys of the rows above the others, ``in_progress`` the tab that counts and
        leads to all like them.
        """
        shown, sort = shown_columns(params), params.sort.removeprefix("-")
        self.grouped_by = f"{sort}_at" if sort in ("created", "ended") else ""
        super().__init__(
            rows,
            params,
            caption=caption,
            exclude=[name for name in COLUMNS if name not in shown],
            # Without a heading for each day the times have a date, and need more room.
            attrs={"class": "rows fixed" if self.grouped_by else "rows fixed dated"},
        )
        self.now, self.as_of = now, params.time_range.asof or now
        self.snapshot = params.time_range.asof is not None
        self.zone = params.time_range.zone
        self.year = self.as_of.astimezone(self.zone).year
        # A restore's page leads back to this page of the list.
        query = params.query(**params.position)
        self.urls = {
            row.pk: reverse("restore-detail", args=[row.restore_id]) + query for row in rows
        }
        self.list_url = reverse("restore-list")
        for name in {"created", "ended"}.intersection(shown):
            column = self.columns[name].column
            column.verbose_name = format_html(
                "{} <small>{}</small>", column.verbose_name, city(params.time_range.tz)
            )
        self.changed, self.time_left = changed or {}, time_left or {}
        self.pinned, self.in_progress = pinned, in_progress

    def groups(self) -> Iterator[Group]:
        """Restores in progress first, then the others, by day where they are sorted by time."""
        rows = list(self.body())
        pinned = [row for record, row in rows if record.pk in self.pinned]
        if pinned and self.in_progress:
            # The tab of a search for a common word counts the newest rows only.
            count = max(self.in_progress.count.number, len(pinned))
            yield Group(
                heading=f"In progress · {replace(self.in_progress.count, number=count)}",
                rows=pinned,
                pinned=True,
                all_url=self.list_url + self.in_progress.query if count > len(pinned) else "",
            )
        others = (pair for pair in rows if pair[0].pk not in self.pinned)
        for heading, group in groupby(others, lambda pair: self._day(pair[0])):
            yield Group(heading=heading, rows=[row for _, row in group])

    def render_row(self, record: Any, cells: SafeString) -> SafeString:
        changed = record.pk in self.changed
        return format_html(
            '<tr id="r{}"{}>{}</tr>',
            record.pk,
            mark_safe(' class="changed"') if changed else "",
            cells,
        )

    def render_created(self, record: Any) -> SafeString:
        return format_html(
            '<a class="go" href="{}">{}<span class="visually-hidden">, restore of {}</span></a>',
            self.urls[record.pk],
            self._time(record.created_at, under_day=self.grouped_by == "created_at"),
            str(record.instance),
        )

    def render_ended(self, record: Any) -> SafeString | str:
        return self._time(record.ended_at, under_day=self.grouped_by == "ended_at")

    def render_status(self, record: Any) -> SafeString:
        return status_badge(self._status(record))

    def render_instance(self, record: Any) -> SafeString:
        customer = record.project.customer
        return format_html(
            '<a class="go" href="{}" title="{}"><bdi>{}</bdi></a>{}',
            self.urls[record.pk],
            str(record.instance),
            str(record.instance),
            format_html(" <small><bdi>{}</bdi></small>", customer) if customer else "",
        )

    def render_restore(self, record: Any) -> SafeString:
        name = record.restore_name or record.restore_id
        return format_html(
            '<a class="go" href="{}" title="{}"><bdi>{}</bdi></a>', self.urls[record.pk], name, name
        )

    def render_project(self, record: Any) -> SafeString:
        return format_html("<bdi>{}</bdi>", record.project.name)

    def render_outcome(self, record: Any) -> SafeString:
        """The bar of a restore in progress, then words, then the error code."""
        left, code = self.time_left.get(record.pk), record.error_code
        text = left.text if left else self._details(record)
        basis = f" ({left.basis})" if left and left.basis else ""
        return format_html(
            "{}{}{}",
            self._progress_bar(record) if record.status in IN_PROGRESS else "",
            format_html('<span title="{}{}">{}</span>', text, basis, text) if text else "",
            format_html(
                ' <a class="mono" href="{}{}"><bdi>{}</bdi></a>',
                self.list_url,
                self.params.query(code=code),
                code,
            )
            if code
            else "",
        )

    def render_took(self, record: Any) -> SafeString | str:
        if record.duration is not None:
            return format_clock(record.duration)
        if record.status not in IN_PROGRESS or record.created_at is None:
            return ABSENT
        left = self.time_left.get(record.pk)
        if left and left.took:
            return left.took
        so_far = format_clock((self.as_of - record.created_at).total_seconds())
        if self.snapshot:
            return so_far
        return format_html(
            '<time datetime="{}" data-since>{}</time>', to_iso(record.created_at), so_far
        )

    def render_since(self, record: Any) -> SafeString:
        """What became of a failure, of the record, and of a restore since the snapshot."""
        parts = []
        if record.status == FAILED.value and record.recovered_at is None:
            parts.append(mark_safe('<strong class="failed">Unresolved</strong>'))
        elif record.status == FAILED.value:
            parts.append(format_html("<small>Recovered {}</small>", self._recovered(record)))
        if record.removed_upstream_at is not None:
            parts.append(mark_safe('<small class="removed">Removed from provider’s list</small>'))
        if now := self.changed.get(record.pk):
            words = diff_from_now(record, now, self.zone, self.now)
            parts.append(format_html('<span class="now"><bdi>{}</bdi></span>', words))
        return format_html_join(" ", "{}", ((part,) for part in parts))

    def render_backup(self, record: Any) -> SafeString:
        return format_html("<small>{}</small>", self._time(record.backup_taken_at))

    def _status(self, record: Any) -> Status:
        left = self.time_left.get(record.pk)
        return STUCK if left and left.stuck else status_of(record.status)

    def _details(self, record: Any) -> str:
        """The reason of a failure, or how far a restore is; empty for a plain success."""
        if record.status == FAILED.value:
            return codes.explain(record.error_code).reason
        if record.status in IN_PROGRESS:
            facts = Facts(
                status=record.status,
                now=self.as_of,
                created_at=record.created_at,
                progress=record.progress,
                reports_progress=record.project.reports_progress,
            )
            return details(facts)
        succeeded = record.status == SUCCEEDED.value and record.progress == 100
        if record.progress is None or succeeded:
            return ""
        return f"Provider reports {format_percent(record.progress)}"

    def _progress_bar(self, record: Any) -> SafeString:
        # Without a value the browser shows that the progress is not known.
        known = record.status == RESTORING.value and record.progress is not None
        return format_html(
            '<progress class="{}" max="100"{} aria-label="Progress of {}"></progress> ',
            self._status(record).css_class,
            format_html(' value="{}"', f"{record.progress:.2f}") if known else "",
            str(record.instance),
        )

    def _day(self, record: Any) -> str:
        """The day under which a row is listed, in words."""
        if not self.grouped_by:
            return ""
        at = getattr(record, self.grouped_by)
        if at is None:
            return "No date"
        day = at.astimezone(self.zone)
        return f"{day:%A} {day.day} {day:%B}{'' if day.year == self.year else f' {day.year}'}"

    def _time(self, at: datetime | None, *, under_day: bool = False) -> SafeString | str:
        if at is None:
            return ABSENT
        local = at.astimezone(self.zone)
        if under_day:
            return time_element(at, f"{local:%H:%M:%S}")
        rest = f"{local:%b %H:%M}" if local.year == self.year else f"{local:%b %Y}"
        return time_element(at, f"{local.day} {rest}")

    def _recovered(self, record: Any) -> SafeString | str:
        """When a failed restore was recovered; the time alone on the day of its creation."""
        local, created = record.recovered_at.astimezone(self.zone), record.created_at
        if created and created.astimezone(self.zone).date() == local.date():
            return time_element(record.recovered_at, f"{local:%H:%M}")
        return self._time(record.recovered_at)


class InstanceTable(Table):
    """The list of instances; ``newest`` holds the newest restore of each that has one."""

    name = tables.Column("Instance", order_by="name", attrs={"td": {"class": "wide"}})
    instance_id = tables.Column(
        "ID",
        orderable=False,
        attrs={"th": {"class": "side"}, "td": {"class": "mono side id"}},
    )
    customer = tables.Column("Customer", orderable=False)
    project = tables.Column("Project", orderable=False)
    engine = tables.Column("Engine", orderable=False, attrs={"cell": {"class": "side"}})
    status = tables.Column("Status", orderable=False, attrs={"cell": {"class": "side"}})
    complete_to = tables.Column(
        "Data complete up to (UTC)", order_by="complete", attrs={"td": {"class": "wide"}}
    )
    newest_restore = tables.Column("Last restore", orderable=False, attrs={"td": {"class": "wide"}})

    class Meta(Table.Meta):
        attrs = {"class": "rows short flow instances"}

    def __init__(
        self, rows: Sequence[Instance], params: Params, newest: Mapping[int, Restore], caption: str
    ) -> None:
        super().__init__(rows, params, caption=caption)
        self.newest = newest

    def render_name(self, record: Instance) -> SafeString:
        return _instance_link(record)

    def render_instance_id(self, record: Instance) -> SafeString | str:
        return _text(record.instance_id)

    def render_customer(self, record: Instance) -> SafeString | str:
        return _text(record.project.customer)

    def render_project(self, record: Instance) -> SafeString:
        region = record.project.region
        return format_html(
            "<bdi>{}</bdi>{}",
            record.project.name,
            format_html(" <small><bdi>{}</bdi></small>", region) if region else "",
        )

    def render_engine(self, record: Instance) -> SafeString | str:
        return _text(record.engine)

    def render_status(self, record: Instance) -> SafeString | str:
        return _text(record.status)

    def render_complete_to(self, record: Instance) -> SafeString:
        return instance_status_badge(instance_status(record), in_column=True)

    def render_newest_restore(self, record: Instance) -> SafeString:
        restore = self.newest.get(record.pk)
        if restore is None:
            return mark_safe('<span class="soft">None</span>')
        return format_html(
            '<a class="plain" href="{}">{} <small>{}</small></a>',
            reverse("restore-detail", args=[restore.restore_id]),
            status_badge(status_of(restore.status)),
            short_timestamp(restore.created_at),
        )


class SyncStatusTable(Table):
    """The instances of the sync status page, each with its own sync error below it."""

    name = tables.Column("Instance")
    project = tables.Column("Project")
    complete_to = tables.Column("Data complete up to (UTC)", attrs={"td": {"class": "fill wide"}})
    next_sync = tables.Column("Next sync (UTC)", attrs={"td": {"class": "side"}})

    class Meta(Table.Meta):
        attrs = {"class": "rows short flow"}
        orderable = False

    def render_row(self, record: Instance, cells: SafeString) -> SafeString:
        row, error = super().render_row(record, cells), first_sync_error(record)
        if error is None:
            return row
        context = {"error": error, "key": "instance", "pk": record.pk}
        return row + format_html(
            '<tr class="sync-error"><td class="wide" colspan="{}">{}</td></tr>',
            len(self.columns),
            render_to_string("components/sync_error.html", context),
        )

    def render_name(self, record: Instance) -> SafeString:
        return _instance_link(record)

    def render_project(self, record: Instance) -> SafeString | str:
        return _text(record.project.name)

    def render_complete_to(self, record: Instance) -> SafeString:
        return instance_status_badge(instance_status(record), in_column=True)

    def render_next_sync(self, record: Instance) -> SafeString | str:
        return short_timestamp(next_sync_at(record))


def shown_columns(params: ListParams) -> tuple[str, ...]:
    """The columns to show: those of ``cols``, else the default ones.

    A list by end also shows the end, a snapshot what has happened since.
    """
    chosen = set(params.get("cols").split(",") if params.get("cols") else DEFAULT_COLUMNS)
    by_end = params.time_range.on == "ended" or params.sort.endswith("ended")
    if by_end and not params.get("cols"):
        chosen.add("ended")
    if params.time_range.asof:
        chosen.add("since")
    return tuple(name for name in COLUMNS if name in chosen)


def _instance_link(instance: Instance) -> SafeString:
    return format_html(
        '<a class="go" href="{}"><bdi>{}</bdi></a>',
        reverse("instance-detail", args=[instance.instance_id]),
        str(instance),
    )


def _text(value: str) -> SafeString | str:
    return format_html("<bdi>{}</bdi>", value) if value else ABSENT
