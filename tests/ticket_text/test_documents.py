"""Text for tickets, customers and the provider says what it must, and nothing more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from restores import ticket_text
from restores.explain.summary import Facts
from restores.ticket_text import ListReport, ReportRow, RestoreReport

NOW = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
ENDED = datetime(2026, 11, 23, 15, 37, 41, tzinfo=UTC)
URL = "https://restores.example/restores/r-1/?asof=2026-11-23T16:59:00Z"
REPORT = RestoreReport(
    facts=Facts(
        status="failed",
        now=NOW,
        created_at=ENDED - timedelta(minutes=11, seconds=40),
        ended_at=ENDED,
        progress=63,
        error_code="dcs.08.0007",
    ),
    url=URL,
    restore_id="r-1",
    restore_name="restore_cart",
    remark="a | b <b>*bold*</b>",
    instance="cart-prod",
    instance_id="i-1",
    project="shop-prod",
    project_id="p-1",
    region="eu-de",
    customer="Shopwell",
    backup_id="b-1",
    customer_zone="Europe/Berlin",
    synced_at=NOW,
    status="Failed",
)
ROW = ReportRow(
    url=URL,
    restore_id="r-1",
    created="2026-11-23 15:26:01",
    provider_status="failed",
    status="Failed",
    instance="cart|prod",
    instance_id="i-1",
    project_id="p-1",
    region="eu-de",
    customer="Shopwell",
    details="Data sync failed; data may be partial",
    error_code="dcs.08.0007",
    duration="11:40",
    outcome="Unresolved",
)
LIST_REPORT = ListReport(
    url="https://restores.example/restores/?asof=2026-11-23T16:59:00Z",
    on="created",
    time_range="since 2026-11-22 16:59:00 UTC",
    filters="status = failed",
    complete_to="23 Nov 2026 at 16:59:00 UTC",
    total="1",
    first=1,
    rows=(ROW,),
)


def test_a_restore_as_markdown():
    assert ticket_text.markdown(ticket_text.restore_document(REPORT)) == (
        "**Restore of cart-prod: Failed**\n\n"
        "Failed on 23 Nov 2026 at 15:37:41 UTC after 11 min 40 s, during data synchronization "
        "(dcs.08.0007), at 63% progress. The instance hasn’t been restored successfully "
        "since.\n\n"
        "- **Customer:** Shopwell\n"
        "- **Instance:** cart-prod (i-1)\n"
        "- **Project:** shop-prod (eu-de)\n"
        "- **Restore:** restore\\_cart (r-1)\n"
        "- **Backup:** b-1\n"
        "- **Remark:** a \\| b \\<b\\>\\*bold\\*\\</b\\>\n"
        "- **Error code:** dcs.08.0007 – Data synchronization failed during the restore\n"
        "- **Created:** 2026-11-23 15:26:01 UTC\n"
        "- **Finished:** 2026-11-23 15:37:41 UTC\n"
        "- **Duration:** 11 min 40 s\n"
        "- **Data as of:** 2026-11-23 16:59:00 UTC\n\n"
        f"<{URL}>\n"
    )


def test_a_restore_as_jira():
    text = ticket_text.jira(ticket_text.restore_document(REPORT))
    assert text.startswith("*Restore of cart-prod: Failed*\n\nFailed on 23 Nov 2026")
    assert "\n* *Remark:* a &#124; b <b>&#42;bold&#42;</b>\n" in text
    assert text.endswith(f"\n\n[{URL}]\n")


def test_a_restore_as_html():
    text = ticket_text.html(ticket_text.restore_document(REPORT))
    assert "<li><strong>Remark:</strong> a | b &lt;b&gt;*bold*&lt;/b&gt;</li>" in text
    assert text.endswith(f'<p><a href="{URL}">{URL}</a></p>\n')


def test_a_restore_for_its_customer_names_nothing_of_ours():
    text = ticket_text.restore_customer_text(REPORT)
    assert text == (
        "The restore of your instance cart-prod did not complete; it stopped at 16:37:41 Berlin "
        "time (15:37:41 UTC). We’re checking your data and will contact you before starting "
        "another restore.\n"
    )
    for inner in ("r-1", "i-1", "p-1", "shop-prod", "dcs.08", "https://", "Shopwell"):
        assert inner not in text


def test_a_restore_for_the_provider_has_every_id_and_no_customer():
    text = ticket_text.restore_provider_text(REPORT)
    for needed in ("r-1", "i-1", "p-1", "b-1", "eu-de", "dcs.08.0007", "63%", "failed", URL):
        assert needed in text
    assert "Shopwell" not in text and "cart" not in text


def test_a_restore_without_an_end_says_why():
    running = replace(
        REPORT, facts=Facts(status="restoring", now=NOW, created_at=ENDED), synced_at=None
    )
    text = ticket_text.plain(ticket_text.restore_document(running))
    assert "Created: 2026-11-23 15:37:41 UTC\nFinished: still running\n" in text
    assert "Data as of: unknown" in text
    failed = replace(REPORT, facts=replace(REPORT.facts, ended_at=None))
    assert "\nFinished: not reported\n" in ticket_text.plain(ticket_text.restore_document(failed))


def test_a_list_as_markdown():
    assert ticket_text.markdown(ticket_text.list_document(LIST_REPORT)) == (
        "**Restores created since 2026-11-22 16:59:00 UTC**\n\n"
        "- **Time range:** created since 2026-11-22 16:59:00 UTC\n"
        "- **Filters:** status = failed\n"
        "- **Data as of:** 23 Nov 2026 at 16:59:00 UTC\n"
        "- **Shown:** 1–1 of 1\n\n"
        "| Created (UTC) | Status | Instance | Customer | Details | Duration | Outcome |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        f"| [2026-11-23 15:26:01]({URL}) | Failed | cart\\|prod | Shopwell "
        "| Data sync failed; data may be partial (dcs.08.0007) | 11:40 | Unresolved |\n\n"
        "<https://restores.example/restores/?asof=2026-11-23T16:59:00Z>\n"
    )


def test_a_list_as_jira_keeps_its_empty_cells():
    text = ticket_text.jira(
        ticket_text.list_document(replace(LIST_REPORT, rows=(replace(ROW, duration=""),)))
    )
    assert "\n||Created (UTC)||Status||" in text
    row = next(
        line for line in text.splitlines() if line.startswith(f"| [2026-11-23 15:26:01|{URL}")
    )
    assert "| cart&#124;prod | Shopwell |" in row and "|   | Unresolved |" in row


def test_every_text_about_a_list_names_its_time_range_and_completeness():
    texts = [
        write(ticket_text.list_document(LIST_REPORT)) for write in ticket_text.FORMATS.values()
    ]
    for text in (
        *texts,
        ticket_text.list_provider_text(LIST_REPORT),
    ):
        assert "2026-11-22 16:59:00 UTC" in text.replace("\\", "")
        assert "23 Nov 2026 at 16:59:00 UTC" in text.replace("\\", "")


def test_a_list_for_a_customer_counts_and_names_nobody():
    counts = {"succeed": 1_200, "failed": 1, "waiting": 2, "restoring": 1}
    text = ticket_text.list_customer_text(replace(LIST_REPORT, counts=counts))
    assert text.startswith(
        "Restores of your instances created since 2026-11-22 16:59:00 UTC: "
        "1,200 completed, 1 failed, 3 still running."
    )
    for inner in ("cart", "r-1", "Shopwell", "https://", "status = failed"):
        assert inner not in text


def test_a_list_for_the_provider_has_ids_and_no_customer():
    text = ticket_text.list_provider_text(LIST_REPORT)
    assert "2026-11-23 15:26:01 · r-1 · i-1 · p-1 · eu-de · failed · dcs.08.0007" in text
    assert "Shopwell" not in text and "status = failed" not in text
