"""Columns, headers and ordering of the lists."""
