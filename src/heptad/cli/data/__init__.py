"""`heptad data`: step 1, a file for each topic."""

import typer

from heptad.cli.data import (
    card,
    collect,
    correct,
    expect,
    features,
    labels,
    profile,
    quarantine,
    split,
    suggest,
    versions,
)

app = typer.Typer(help="Step 1: versions of the table, features, expectations.")
for topic in (collect, versions, card, profile, quarantine, correct, labels, split, suggest, expect, features):
    app.registered_commands += topic.app.registered_commands
    app.registered_groups += topic.app.registered_groups
