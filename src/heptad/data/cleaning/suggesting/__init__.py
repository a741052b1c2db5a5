"""Looks at a table and proposes what is wrong in it, with evidence."""
