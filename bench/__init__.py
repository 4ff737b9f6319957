"""Benchmarks: pages, many readers and sync, each against how it is usually done."""
