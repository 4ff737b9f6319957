"""Tables of the pages, declared with django-tables2."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import quote

import django_tables2 as tables
from django.template.defaultfilters import pluralize
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django_tables2.data import TableListData
from django_tables2.utils import AttributeDict, OrderBy

from restores.asof import diff_from_now
from restores.audit import AuditRow
from restores.explain import codes
from restores.explain.estimates import SLOW_FACTOR, Usual, format_clock
from restores.explain.summary import details
from restores.facts import estimated_downtime, row_facts
from restores.filters import ListParams, Params
from restores.filters.params import COLUMNS, DEFAULT_COLUMNS
from restores.formatting import (
    ABSENT,
    format_ago,
    format_interval,
    format_percent,
    time_element,
    zone_name,
)
from restores.freshness import known_until
from restores.instance_status import InstanceStatus, instance_status, next_sync_at
from restores.models import NO_SYNC_ERROR, Instance
from restores.restore_list.counts import Tab
from restores.restore_list.time_left import TimeLeft
from restores.statuses import (
    FAILED,
    FINAL,
    IN_PROGRESS,
    RESTORING,
    STUCK,
    SUCCEEDED,
    UNRESOLVED,
    status_of,
)
from restores.sync_errors import SyncError, first_sync_error
from restores.templatetags.components import (
    copy_button,
    icon,
    instance_status_badge,
    status_badge,
    usual_bar,
)
from restores.templatetags.display import short_timestamp, timestamp
from restores.timerange import to_iso

MAX_SHOWN = 160  # characters of a name in a row
LONG_NAME, KEPT_END = 24, 10  # characters of a name that may be shortened, and of its end
# The fields read of each restore; timestamps that aren’t needed would take time to parse.
RESTORE_FIELDS = (
    "pk",
    "restore_id",
    "restore_name",
    "restore_remark",
    "status",
    "progress",
    "error_code",
    "created_at",
    "created_problem",
    "ended_at",
    "updated_problem",
    "duration",
    "unchanged_since",
    "stuck_at",
    "recovered_at",
    "backup_taken_at",
    "removed_upstream_at",
    "instance_id",
    "instance__instance_id",
    "instance__name",
    "instance__complete_to",
    "instance__usual_p10",
    "instance__usual_p90",
    "instance__usual_count",
    "project__name",
    "project__customer",
    "project__reports_progress",
)
# Also read in a snapshot: when a restore has changed since.
SNAPSHOT_FIELDS = ("moved_at",)
# The fields that the tables of instances read of each, with the sync errors they show.
INSTANCE_FIELDS = (
    *("instance_id", "name", "engine", "complete_to", "deleted_at", "single_node"),
    *("last_restore_id", "last_restore_at", "last_status"),
    *("next_sync_at", "project__name", "project__customer", "project__region"),
    *("project__monitored", "project__interval", "project__account__name"),
    *NO_SYNC_ERROR,
    *(f"project__{name}" for name in NO_SYNC_ERROR),
    *(f"project__account__{name}" for name in NO_SYNC_ERROR),
)


# The header of a column of times, which names the zone of the page: ``Next sync (UTC)``.
_with_zone = lazy(lambda header: f"{header} ({zone_name()})", str)

_REMOVED = mark_safe('<small class="removed">Removed from provider’s list</small>')


class PageData(TableListData):
    """The rows of one page, already in order: the database sorts them, not the table."""

    def order_by(self, aliases: Any) -> None:
        """Leave the rows in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of a column: how the table is sorted by it, and the query to reverse that."""

    text: str
    attrs: AttributeDict
    direction: str
    sort_query: str


class Table(tables.Table):
    """A table of one page, sorted by the ``sort`` parameter of its list.

    ``order_by`` of a column is its name in that parameter. Every column has a method
    ``render_NAME(record)``. Stock django-tables2 resolves the attributes of ``td`` and inspects
    the signature of the method for each cell, which is most of the time for a page of 50 rows;
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
    """The list of restores, as of the time of its query string."""

    created = tables.Column(
        "Created",
        order_by="created",
        initial_sort_descending=True,
        attrs={"td": {"class": "t"}},
    )
    ended = tables.Column(
        "Finished",
        order_by="ended",
        initial_sort_descending=True,
        attrs={"td": {"class": "t"}},
    )
    status = tables.Column("Status", order_by="status", attrs={"td": {"class": "s"}})
    instance = tables.Column("Instance", order_by="instance", attrs={"td": {"class": "wide"}})
    restore = tables.Column("Restore", orderable=False, attrs={"td": {"class": "wide"}})
    id = tables.Column("Restore ID", orderable=False, attrs={"td": {"class": "mono wide"}})
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
        attrs={"th": {"class": "num"}, "td": {"class": "num took"}},
    )
    downtime = tables.Column(
        "Estimated downtime",
        orderable=False,
        attrs={"th": {"class": "num"}, "td": {"class": "num side"}},
    )
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
        self.zone = timezone.get_current_timezone()
        self.year = self.as_of.astimezone(self.zone).year
        # A restore's page leads back to this page of the list.
        query = params.query(**params.position)
        self.urls = {
            row.pk: reverse("restore-detail", args=[row.restore_id]) + query for row in rows
        }
        self.code_urls = {
            code: reverse("code-detail", args=[code])
            for code in {row.error_code for row in rows}
            if code
        }
        self.instance_urls = {
            instance: reverse("instance-detail", args=[instance])
            for instance in {row.instance.instance_id for row in rows}
        }
        # If no other column links to the restore, the instance does.
        self.instance_leads_to_restore = not {"created", "restore", "id"}.intersection(shown)
        self.list_url = reverse("restore-list")
        for name in {"created", "ended"}.intersection(shown):
            column = self.columns[name].column
            column.verbose_name = format_html(
                "{} <small>{}</small>", column.verbose_name, zone_name()
            )
        self.changed, self.time_left = changed or {}, time_left or {}
        self.pinned, self.in_progress = pinned, in_progress

    def groups(self) -> Iterator[Group]:
        """Restores in progress first, then the others, by day if they are sorted by time."""
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
        for day, group in groupby(others, lambda pair: self._day(pair[0])):
            yield Group(heading=self._heading(day), rows=[row for _, row in group])

    def render_row(self, record: Any, cells: SafeString) -> SafeString:
        changed = record.pk in self.changed
        return format_html(
            '<tr id="r{}"{}><td class="pick"><label>'
            '<input type="checkbox" autocomplete="off" aria-label="Select the restore of {}">'
            "</label></td>{}</tr>",
            record.pk,
            mark_safe(' class="changed"') if changed else "",
            _shown(str(record.instance)),
            cells,
        )

    def render_created(self, record: Any) -> SafeString:
        return format_html(
            '<a class="go" href="{}">{}<span class="visually-hidden">, restore of {}</span></a>{}',
            self.urls[record.pk],
            self._time(record.created_at, under_day=self.grouped_by == "created_at")
            if record.created_at or not record.created_problem
            else _problem(record.created_problem),
            _shown(str(record.instance)),
            self._ago(record.created_at),
        )

    def render_ended(self, record: Any) -> SafeString | str:
        if record.ended_at is None and record.updated_problem and record.status in FINAL:
            return _problem(record.updated_problem)
        return self._time(record.ended_at, under_day=self.grouped_by == "ended_at")

    def render_status(self, record: Any) -> SafeString:
        """The status, and for a failure what became of it."""
        if record.status != FAILED.value:
            return status_badge(record.shown_status)
        if record.recovered_at is None:
            return status_badge(UNRESOLVED)
        return format_html(
            '<span class="state recovered">{}<bdi>Failed → recovered {}</bdi></span>',
            icon("recovered"),
            self._recovered(record),
        )

    def render_instance(self, record: Any) -> SafeString:
        name = _shown(str(record.instance))
        if self.instance_leads_to_restore:
            css_class, url = "go", self.urls[record.pk]
        else:
            css_class, url = "name", self.instance_urls[record.instance.instance_id]
        return format_html(
            '<span class="named"><a class="{}" href="{}" title="{}"><bdi>{}</bdi></a>{}</span>',
            css_class,
            url,
            name,
            _ends_kept(name),
            _small(record.project.customer),
        )

    def render_restore(self, record: Any) -> SafeString:
        return format_html(
            '<a class="go" href="{0}" title="{1}"><bdi>{1}</bdi></a>',
            self.urls[record.pk],
            _shown(record.restore_name or record.restore_id),
        )

    def render_id(self, record: Any) -> SafeString:
        return format_html(
            '<a class="plain" href="{}" title="{}"><bdi>{}</bdi></a>',
            self.urls[record.pk],
            record.restore_id,
            _shown(record.restore_id),
        )

    def render_project(self, record: Any) -> SafeString:
        return format_html("<bdi>{}</bdi>", record.project.name)

    def render_outcome(self, record: Any) -> SafeString | str:
        """A bar and words, then the error code, then what has changed since the snapshot."""
        parts = [
            self._bar(record),
            self._words(record),
            self._code(record.error_code),
            _REMOVED if record.removed_upstream_at is not None else "",
            self._now(record),
        ]
        line = format_html_join(" ", "{}", ((part,) for part in parts if part))
        return format_html('<span class="line">{}</span>', line) if line else ""

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

    def render_downtime(self, record: Any) -> str:
        """The same estimate as in the downtime report, not cut at the edges of the range."""
        in_progress = record.status in IN_PROGRESS and not self.snapshot
        known_to = known_until(record, self.as_of) if in_progress else self.as_of
        found = estimated_downtime(record, known_to, self.as_of)
        if found is None:
            return ABSENT
        return f"{found.text} so far" if found.so_far else found.text

    def render_backup(self, record: Any) -> SafeString:
        return format_html("<small>{}</small>", self._time(record.backup_taken_at))

    def _words(self, record: Any) -> SafeString | str:
        """The reason of a failure, how far a restore is, or what is notable about a success."""
        if record.status == SUCCEEDED.value:
            return self._success(record)
        left = self.time_left.get(record.pk)
        text = left.text if left else self._details(record)
        basis = f" ({left.basis})" if left and left.basis else ""
        return format_html('<span title="{}{}">{}</span>', text, basis, text) if text else ""

    def _success(self, record: Any) -> SafeString | str:
        """How much longer than usual it took, and its remark or what contradicts the success."""
        usual, text, parts = self._usual(record), _shown(record.restore_remark), []
        if record.progress not in (None, 100):
            text = f"Provider reports {format_percent(record.progress)}"
        if usual and record.duration > SLOW_FACTOR * usual.p90:
            times = f"{record.duration / usual.p90:.1f}"
            parts.append(format_html('<b class="slow">{}× the usual</b>', times))
        if text:
            parts.append(format_html('<span class="soft" title="{0}"><bdi>{0}</bdi></span>', text))
        return format_html_join(" · ", "{}", ((part,) for part in parts))

    def _details(self, record: Any) -> str:
        """The reason of a failure, or how far a restore is."""
        if record.status == FAILED.value:
            return codes.explain(record.error_code).reason
        if record.status in IN_PROGRESS:
            return details(row_facts(record, self.as_of))
        if record.progress is None:
            return ""
        return f"Provider reports {format_percent(record.progress)}"

    def _code(self, code: str) -> SafeString | str:
        if not code:
            return ""
        return format_html(
            '<a class="mono" href="{}"><bdi>{}</bdi></a>', self.code_urls[code], _shown(code)
        )

    def _now(self, record: Any) -> SafeString | str:
        now = self.changed.get(record.pk)
        if now is None:
            return ""
        words = diff_from_now(record, now, self.zone, self.now)
        return format_html('<span class="now"><bdi>{}</bdi></span>', words)

    def _bar(self, record: Any) -> SafeString | str:
        """The progress of a restore, or the duration of a success against the usual ones."""
        if record.status in IN_PROGRESS:
            return self._progress_bar(record)
        usual = self._usual(record)
        return usual_bar(record.duration, usual) if usual else ""

    def _usual(self, record: Any) -> Usual | None:
        """What a success is compared with; what was usual at a snapshot’s time isn’t stored."""
        if self.snapshot or record.status != SUCCEEDED.value or not record.duration:
            return None
        usual = record.instance.usual
        return usual if usual and usual.p90 else None

    def _progress_bar(self, record: Any) -> SafeString:
        # Without a value the browser shows that the progress is not known.
        known = record.status == RESTORING.value and record.progress is not None
        return format_html(
            '<progress class="{}" max="100"{} aria-label="Progress of {}"></progress>',
            record.shown_status.css_class,
            format_html(' value="{}"', f"{record.progress:.2f}") if known else "",
            _shown(str(record.instance)),
        )

    def _ago(self, at: datetime | None) -> SafeString | str:
        """How long ago a time within a day was; a snapshot shows none."""
        age = (self.now - at).total_seconds() if at and not self.snapshot else -1
        if not 0 <= age < 24 * 3600:
            return ""
        return format_html(' <span class="ago" data-ago-of>{}</span>', format_ago(age))

    def _day(self, record: Any) -> date | None:
        """The day under which a row is listed."""
        at = getattr(record, self.grouped_by) if self.grouped_by else None
        return at.astimezone(self.zone).date() if at else None

    def _heading(self, day: date | None) -> str:
        if day is None:
            return "No date" if self.grouped_by else ""
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
        """When a failed restore was recovered; only the time on the day of its creation."""
        local, created = record.recovered_at.astimezone(self.zone), record.created_at
        if created and created.astimezone(self.zone).date() == local.date():
            return time_element(record.recovered_at, f"{local:%H:%M}")
        return self._time(record.recovered_at)


class InstanceRestoreTable(RestoreTable):
    """The newest restores on the page of their instance, as the list shows them."""

    class Meta(Table.Meta):
        orderable = False

    def __init__(
        self, rows: Sequence[Any], params: ListParams, now: datetime, **given: Any
    ) -> None:
        super().__init__(rows, params, now, **given)
        self.attrs = AttributeDict({"class": "rows short flow"})
        # There are no headings of days: each time has its date.
        self.grouped_by = ""
        self.columns.hide("instance")

    def render_row(self, record: Any, cells: SafeString) -> SafeString:
        return Table.render_row(self, record, cells)


class InstanceTable(Table):
    """The list of instances; the freshness of the data has a column if it isn't fine.

    ``stuck`` holds the keys of those whose last restore is possibly stuck.
    """

    name = tables.Column("Instance", order_by="name", attrs={"td": {"class": "wide"}})
    instance_id = tables.Column(
        "ID",
        orderable=False,
        attrs={"th": {"class": "side"}, "td": {"class": "mono side id"}},
    )
    customer = tables.Column("Customer", orderable=False)
    project = tables.Column("Project", orderable=False)
    engine = tables.Column("Engine", orderable=False, attrs={"cell": {"class": "side engine"}})
    last_restore = tables.Column(
        _with_zone("Last restore"), order_by="last_restore", initial_sort_descending=True
    )
    last_status = tables.Column("Last status", order_by="last_status")
    complete_to = tables.Column(
        _with_zone("Data complete up to"), order_by="complete", attrs={"td": {"class": "wide"}}
    )

    class Meta(Table.Meta):
        attrs = {"class": "rows short flow instances"}

    def __init__(
        self,
        rows: Sequence[Instance],
        params: Params,
        now: datetime,
        *,
        stuck: Collection[int],
        caption: str,
    ) -> None:
        super().__init__(rows, params, caption=caption)
        self.stuck = stuck
        self.behind = {row.pk for row in rows if _behind(row, now)}
        self.all_complete_to = params.sort.removeprefix("-") == "complete"
        if not self.behind and not self.all_complete_to:
            self.columns.hide("complete_to")

    def render_name(self, record: Instance) -> SafeString:
        return _instance_link(record)

    def render_instance_id(self, record: Instance) -> SafeString | str:
        return _text(record.instance_id)

    def render_customer(self, record: Instance) -> SafeString | str:
        return _text(record.project.customer)

    def render_project(self, record: Instance) -> SafeString:
        project = record.project
        return format_html("<bdi>{}</bdi>{}", project.name, _small(project.region))

    def render_engine(self, record: Instance) -> SafeString | str:
        return _text(record.engine)

    def render_last_restore(self, record: Instance) -> SafeString | str:
        if record.last_restore_id:
            url = reverse("restore-detail", args=[record.last_restore_id])
            at = short_timestamp(record.last_restore_at) if record.last_restore_at else "No date"
            return format_html('<a class="plain" href="{}">{}</a>', url, at)
        if record.single_node:
            return format_html('<span class="soft">{}</span>', instance_status(record).label)
        # Without a complete list we don't know.
        return mark_safe('<span class="soft">None</span>') if record.complete_to else ABSENT

    def render_last_status(self, record: Instance) -> SafeString | str:
        if record.last_status is None:
            return ""
        if record.last_status == FAILED.value:
            return status_badge(UNRESOLVED)
        return status_badge(STUCK if record.pk in self.stuck else status_of(record.last_status))

    def render_complete_to(self, record: Instance) -> SafeString | str:
        status = instance_status(record)
        if record.pk in self.behind and status.css_class == "ok":
            status = replace(status, css_class="late")
        elif record.pk not in self.behind and not self.all_complete_to:
            return ""
        return instance_status_badge(status, in_column=True)


class ProjectTable(Table):
    """The projects of the sync status page, each with its own sync error below it."""

    project = tables.Column("Project", attrs={"td": {"class": "s"}})
    customer = tables.Column("Customer", attrs={"td": {"class": "side"}})
    account = tables.Column("Account", attrs={"td": {"class": "side"}})
    instances = tables.Column("Instances", attrs={"th": {"class": "num"}, "td": {"class": "num t"}})
    complete_to = tables.Column(_with_zone("Data complete up to"), attrs={"td": {"class": "wide"}})
    interval = tables.Column(
        "Sync every", attrs={"th": {"class": "num"}, "td": {"class": "num side"}}
    )
    counted = tables.Column(_with_zone("Running count synced"), attrs={"td": {"class": "side"}})
    next_sync = tables.Column(_with_zone("Next sync"), attrs={"td": {"class": "side"}})

    class Meta(Table.Meta):
        attrs = {"class": "rows short flow projects"}
        orderable = False

    def __init__(self, rows: Sequence[Any], params: Params) -> None:
        super().__init__(rows, params)
        self.instances_url = reverse("instance-list")

    def render_row(self, record: Any, cells: SafeString) -> SafeString:
        row, error = super().render_row(record, cells), record.own_sync_error
        return row + _sync_error_row(self, error, "project", record.project.pk) if error else row

    def render_project(self, record: Any) -> SafeString:
        project = record.project
        return format_html(
            '<a class="go" href="{}?project={}"><bdi>{}</bdi></a>{}'
            '<br><small><bdi class="mono" id="project-id-{}">{}</bdi></small> {}',
            self.instances_url,
            quote(project.name, safe=":/,"),
            project.name,
            _small(project.region),
            project.pk,
            project.project_id,
            copy_button("project ID", project.pk),
        )

    def render_customer(self, record: Any) -> SafeString | str:
        return _text(record.project.customer)

    def render_account(self, record: Any) -> SafeString | str:
        return _text(record.project.account.name)

    def render_instances(self, record: Any) -> SafeString:
        single_node = f"(+{record.single_node} single-node, not synced)"
        return format_html(
            '{}{}<span class="cell-label soft"> instance{}</span>',
            record.monitored,
            format_html(" <small>{}</small>", single_node) if record.single_node else "",
            pluralize(record.monitored),
        )

    def render_complete_to(self, record: Any) -> SafeString:
        badge, number = self._badge(record), record.with_problems
        if not number:
            return badge
        problems = f"{number} instance{pluralize(number)} with problems"
        return format_html("{}{}", badge, _small(problems))

    def render_interval(self, record: Any) -> str:
        return format_interval(record.project.interval)

    def render_counted(self, record: Any) -> SafeString | str:
        return short_timestamp(record.project.restoring_count_at)

    def render_next_sync(self, record: Any) -> SafeString | str:
        return short_timestamp(record.next_sync_at)

    def _badge(self, record: Any) -> SafeString:
        if not record.project.monitored:
            status = InstanceStatus(css_class="off", label="No longer monitored")
        elif record.complete_to is None:
            status = InstanceStatus(css_class="late", label="Not synced yet")
        else:
            css_class = "late" if record.sync_error else "ok"
            status = InstanceStatus(css_class=css_class, at=record.complete_to)
        return instance_status_badge(status, in_column=True)


class SyncStatusTable(Table):
    """The instances of the sync status page, each with its own sync error below it."""

    name = tables.Column("Instance")
    project = tables.Column("Project")
    complete_to = tables.Column(
        _with_zone("Data complete up to"), attrs={"td": {"class": "fill wide"}}
    )
    next_sync = tables.Column(_with_zone("Next sync"), attrs={"td": {"class": "side"}})

    class Meta(Table.Meta):
        attrs = {"class": "rows short flow"}
        orderable = False

    def render_row(self, record: Instance, cells: SafeString) -> SafeString:
        row, error = super().render_row(record, cells), first_sync_error(record)
        return row + _sync_error_row(self, error, "instance", record.pk) if error else row

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

    A list by end also shows the end; a snapshot has details, which say what has changed since.
    """
    chosen = set(params.get("cols").split(",") if params.get("cols") else DEFAULT_COLUMNS)
    by_end = params.time_range.on == "ended" or params.sort.endswith("ended")
    if by_end and not params.get("cols"):
        chosen.add("ended")
    if params.time_range.asof:
        chosen.add("outcome")
    return tuple(name for name in COLUMNS if name in chosen)


def _shown(text: str) -> str:
    """Text in a row, shortened so that no page is too large."""
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _ends_kept(name: str) -> SafeString | str:
    """A long name in two parts; the style sheet shortens the first: the end says more."""
    if len(name) <= LONG_NAME:
        return name
    return format_html("<span>{}</span><span>{}</span>", name[:-KEPT_END], name[-KEPT_END:])


def _problem(problem: str) -> SafeString:
    """Mark a time that can't be true; its title is what was sent."""
    kind = problem.partition(":")[0].capitalize()
    return format_html('<span title="{}">{}</span>', problem, kind)


def _behind(instance: Instance, now: datetime) -> bool:
    """Whether the data of an instance isn't complete, or not up to two intervals ago."""
    status, interval = instance_status(instance), instance.project.interval
    if status.css_class != "ok" or status.sync_error or status.at is None:
        return not instance.single_node
    return now - status.at > timedelta(seconds=2 * interval)


def _instance_link(instance: Instance) -> SafeString:
    return format_html(
        '<a class="go" href="{}"><bdi>{}</bdi></a>',
        reverse("instance-detail", args=[instance.instance_id]),
        str(instance),
    )


def _sync_error_row(table: Table, error: SyncError, key: str, pk: int) -> SafeString:
    """A row below the one that can't be synced."""
    context = {"error": error, "key": key, "pk": pk}
    return format_html(
        '<tr class="sync-error"><td class="wide" colspan="{}">{}</td></tr>',
        len(table.columns),
        render_to_string("components/sync_error.html", context),
    )


class AuditTable(Table):
    """Events of the audit log."""

    at = tables.Column("When")
    user = tables.Column("Who", attrs={"td": {"class": "s"}})
    what = tables.Column("What", attrs={"td": {"class": "t"}})
    address = tables.Column("From")
    projects = tables.Column("Project", attrs={"td": {"class": "wide"}})
    about = tables.Column("About", attrs={"td": {"class": "wide fill tall"}})

    class Meta(Table.Meta):
        attrs = {"class": "rows short flow"}
        orderable = False

    def render_user(self, record: AuditRow) -> SafeString | str:
        return _text(record.user)

    def render_what(self, record: AuditRow) -> str:
        return record.what

    def render_about(self, record: AuditRow) -> SafeString | str:
        return _text(record.about)

    def render_projects(self, record: AuditRow) -> SafeString | str:
        return _text(record.projects)

    def render_at(self, record: AuditRow) -> SafeString | str:
        return timestamp(record.at)

    def render_address(self, record: AuditRow) -> SafeString | str:
        return _text(record.address)


def _small(text: str) -> SafeString | str:
    return format_html(" <small><bdi>{}</bdi></small>", text) if text else ""


def _text(value: str) -> SafeString | str:
    return format_html("<bdi>{}</bdi>", value) if value else ABSENT
