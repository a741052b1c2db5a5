"""Expectations that were written for other programs."""
