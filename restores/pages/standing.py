"""How far one instance is known, in words, and what keeps us from knowing more."""

from dataclasses import dataclass

from restores.models import Instance, Project, SyncErrorMixin
from restores.pages.moments import Moment, moment
from restores.querysets import NON_BLOCKING_KINDS
from restores.sync_errors import SyncErrorKind, describe_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A fault as the pages show it: words, since when, what to do, the provider's request id.

    ``key`` names the request id on the page, for its copy button.
    """

    words: SyncErrorKind
    text: str
    since: Moment | None
    request_id: str
    key: str

    @property
    def spoils(self) -> bool:
        """Whether looks fail for it; what is only worth a note lets them go on."""
        return self.words.kind not in NON_BLOCKING_KINDS

    def json(self) -> dict[str, str | None]:
        """The fault for a twin; absent is null."""
        return {
            "class": self.words.kind,
            "since": self.since.iso if self.since else None,
            "text": self.text or None,
            "request_id": self.request_id or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One word for an instance or a project, with the moment it goes with.

    ``look`` names the style: ``ok`` is known, ``late`` is not known far enough, ``off`` is not
    monitored at all.
    """

    look: str
    word: str
    at: Moment | None = None
    trouble: Trouble | None = None


def trouble_of(*rows: SyncErrorMixin) -> Trouble | None:
    """The first fault among the rows, the widest given first: account, project, instance.

    What is only worth a note hides no fault.
    """
    for row in sorted(rows, key=lambda row: row.sync_error_kind in NON_BLOCKING_KINDS):
        if row.sync_error_kind:
            return Trouble(
                words=describe_kind(row.sync_error_kind),
                text=row.sync_error_message,
                since=moment(row.sync_error_since),
                request_id=row.sync_error_request_id,
                key=f"request-{row._meta.model_name}-{row.pk}",
            )
    return None


def instance_trouble(instance: Instance) -> Trouble | None:
    """What spoils the looks at an instance, be it its own, its project's or its account's."""
    return trouble_of(instance.project.account, instance.project, instance)


def standing(instance: Instance) -> Standing:
    """Say how far an instance's restores are known."""
    trouble = instance_trouble(instance)
    if not instance.project.monitored:
        return Standing(look="off", word="no longer monitored")
    if instance.deleted_at:
        return Standing(look="off", word="gone since", at=moment(instance.deleted_at))
    if instance.single_node:
        return Standing(look="off", word="single node: cannot be restored")
    look = "late" if trouble and trouble.spoils else "ok"
    if instance.complete_to is None:
        return Standing(look="late", word="not looked at yet", trouble=trouble)
    return Standing(look=look, word="complete to", at=moment(instance.complete_to), trouble=trouble)


def project_trouble(project: Project) -> Trouble | None:
    """What spoils the looks at a project, its own or its account's."""
    return trouble_of(project.account, project)
