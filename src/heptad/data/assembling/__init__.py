"""From sources to one version of the table."""
