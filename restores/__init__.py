"""Restores: synced from the cloud, stored, explained and linked."""
