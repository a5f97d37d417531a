"""Benchmarks: what the program finds, puts back and leaves alone, and how fast.

Run from the checkout, each alone (`python -m bench.restore --help`) or all by `make bench`. A full
run is written to `bench/results`; a quick one is only printed.
"""
