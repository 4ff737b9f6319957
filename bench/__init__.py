"""Benchmarks of pages, concurrent readers and sync, each against the usual approach."""
