"""Versions of tables: kept, found, compared, split."""
