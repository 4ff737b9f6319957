"""The official SDK as its manual uses it: one client, one call after the other."""

from collections.abc import Iterable

from huaweicloudsdkcore.auth.credentials import (  # type: ignore[import-untyped]
    BasicCredentials,
)
from huaweicloudsdkdcs.v2 import (  # type: ignore[import-untyped]
    DcsClient,
    ListRestoreRecordsRequest,
)


def listed(url: str, instance_ids: Iterable[str]) -> dict[str, set[tuple[str, ...]]]:
    """List each instance's restores: id, status, backup and remark."""
    credentials = BasicCredentials("made", "up", "bench")
    client = DcsClient.new_builder().with_credentials(credentials).with_endpoint(url).build()
    found: dict[str, set[tuple[str, ...]]] = {}
    for each in instance_ids:
        request = ListRestoreRecordsRequest(instance_id=each, limit=1000)
        rows = client.list_restore_records(request).restore_record_response
        found[each] = {(r.restore_id, r.status, r.backup_id, r.restore_remark) for r in rows}
    return found
