"""Builds the English model from corpora and lexicons, and spins clean text for development sets.

Nothing here is installed with the program: it runs where the corpora and the lexicons are.
"""
