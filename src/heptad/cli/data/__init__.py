"""`heptad data`: step 1, a file for each topic."""

import typer

from heptad.cli.data import (
    anonymity,
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
    prune,
    quarantine,
    split,
    statistics,
    stream,
    suggest,
    versions,
)

app = typer.Typer(help="Step 1: versions of the table, features, expectations.")
for topic in (
    collect,
    versions,
    card,
    correct,
    labels,
    profile,
    quarantine,
    split,
    suggest,
    expect,
    features,
    pii,
    stream,
    anonymity,
    folders,
    statistics,
    prune,
    erase,
):
    app.registered_commands += topic.app.registered_commands
    app.registered_groups += topic.app.registered_groups
