"""Repairs of cells, and rows set aside, every one counted."""
