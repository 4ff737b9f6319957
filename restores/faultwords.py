"""Why our own look failed, in words, and what somebody can do about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultWords:
    """One kind of fault: a short word for a line, and the first step for whoever can act."""

    kind: str
    word: str
    advice: str


_TEXTS = {
    "credentials": (
        "credentials refused",
        "Check the account's access key or password in the projects file, and that it has not "
        "expired. We have stopped asking, because repeated refusals lock a key; a changed file "
        "is tried at once.",
    ),
    "permission": (
        "permission missing",
        "Give the account's user the read role for DCS in this project. "
        "“manage.py check_projects” names the missing permission.",
    ),
    "throttled": (
        "throttled by the cloud",
        "Nothing to do at first: we wait as long as the cloud asks. If it stays, lower “rate” in "
        "the projects file or ask the provider for a higher limit.",
    ),
    "unreachable": (
        "not reachable",
        "Check the endpoint, its DNS name and certificate, and the network between us. "
        "We keep trying, ever more slowly.",
    ),
    "bad_answer": (
        "unreadable answer",
        "Pass the text and the request id to the provider. What we hold stays; what they say "
        "now we could not trust.",
    ),
    "vanished": (
        "restores missing",
        "Many restores are missing from the cloud's list at once. We keep showing them, and mark "
        "them once three looks over an hour agree. If it stays, ask the provider.",
    ),
    "gone": (
        "no longer there",
        "The cloud does not know it any more. If it was deleted on purpose there is nothing to "
        "do: its history stays.",
    ),
    "not_offered": (
        "not offered here",
        "This cloud does not offer the call. We use a slower way; restores show within one "
        "interval.",
    ),
    "clock": (
        "clocks disagree",
        "Set the clock of the collector's machine (NTP): signatures and times depend on it.",
    ),
    "discovery": (
        "projects not found",
        "Let the account's user list projects in IAM, check “iam_endpoint” in the projects file, "
        "or name the projects there. Those we know are monitored as before.",
    ),
    "parked": (
        "set aside",
        "Looking at it failed three times in a row in a way that ended the worker. Read the "
        "worker's log for its id; “Look now” on its page tries it again, alone.",
    ),
}


def fault_words(kind: str) -> FaultWords:
    """Return the words of a fault; a kind we have no words for keeps its own name."""
    word, advice = _TEXTS.get(
        kind, (kind.replace("_", " "), "Read the text; “manage.py sync” tries again and says more.")
    )
    return FaultWords(kind, word, advice)
