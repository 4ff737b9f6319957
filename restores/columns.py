"""The columns that a list of restores can show, and what it can be sorted by."""

# In the order of the table; the text is the head of the column.
HEADS = {
    "created": "Created",
    "ended": "Ended",
    "status": "Status",
    "instance": "Instance",
    "restore": "Restore",
    "project": "Project",
    "outcome": "Progress or reason",
    "took": "Took",
    "since": "Since then",
    "backup": "From backup of",
}
COLUMNS = tuple(HEADS)
SHOWN = ("created", "status", "instance", "outcome", "took", "since", "backup")

# The names in the URL, and the columns of the database behind them.
SORTS = {
    "created": "created_at",
    "ended": "ended_at",
    "duration": "duration",
    "progress": "progress",
    "status": "status",
    "instance": "instance__name",
    "code": "error_code",
}
# Which of them the head of a column sorts by.
SORTED_BY = {
    "created": "created",
    "ended": "ended",
    "status": "status",
    "instance": "instance",
    "outcome": "code",
    "took": "duration",
}
