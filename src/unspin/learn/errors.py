"""What is said where nothing can be learned."""


class LearnError(Exception):
    """Nothing can be learned from what was given; the message says why and what to do."""
