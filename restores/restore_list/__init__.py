"""What the list of restores shows: its rows, counts, and what may be said when there are none."""

from restores.restore_list.page import Listing, listing

__all__ = ["Listing", "listing"]
