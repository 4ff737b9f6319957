"""Contents of pasted text: IDs, names, addresses, codes and times, and their positions.

Nothing here knows what exists: views/lookup.py looks it up for a reader.
"""

from .finder import MAX_FINDINGS, MAX_SEARCHED, find
from .findings import Finding, Found, FoundTime

__all__ = ["MAX_FINDINGS", "MAX_SEARCHED", "Finding", "Found", "FoundTime", "find"]
