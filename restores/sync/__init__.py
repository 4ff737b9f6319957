"""Sync: fetch restoration records from the cloud and store them."""
