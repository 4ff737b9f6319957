"""Restoration records: collected from the cloud, kept, explained and linked."""
