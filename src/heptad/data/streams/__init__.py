"""Streams as sources: each message lands in a Delta table exactly once, or in quarantine with its reason."""
