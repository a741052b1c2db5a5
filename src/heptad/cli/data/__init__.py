"""`heptad data`: step 1, a file for each topic."""

import typer

from heptad.cli.data import (
    card,
    collect,
    correct,
    erase,
    expect,
    features,
    folders,
    labels,
    pii,
    profile,
    quarantine,
    split,
    stream,
    suggest,
    versions,
)

app = typer.Typer(help="Step 1: versions of the table, features, expectations.")
for topic in (
    collect,
    versions,
    card,
    profile,
    quarantine,
    correct,
    labels,
    split,
    suggest,
    expect,
    features,
    pii,
    stream,
    folders,
    erase,
):
    app.registered_commands += topic.app.registered_commands
    app.registered_groups += topic.app.registered_groups
