"""What fetches: who is due, what to ask, what changed, and the only writer of restores."""
