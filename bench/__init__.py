"""Benchmarks: the restore list and sync, each against how it is usually done."""
