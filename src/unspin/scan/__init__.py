"""Whole corpora: what is spun in them, on one core or many."""
