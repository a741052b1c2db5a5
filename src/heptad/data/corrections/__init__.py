"""Corrections: cells that a person knows better than the source, kept and applied to every later version."""
