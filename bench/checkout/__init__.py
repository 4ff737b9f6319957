"""Runs inside a checkout that is measured: this one or, with ``--compare``, an older one.

The benchmark starts ``python -m checkout.pages`` in the checkout's folder, so that ``restores`` is
the checkout's own code, while this package is always that of the benchmark.
"""
