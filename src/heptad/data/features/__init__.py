"""Columns joined as of each row's time."""
