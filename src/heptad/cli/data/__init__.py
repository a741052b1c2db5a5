"""`heptad data`: step 1, a file for each topic."""

import typer

from heptad.cli.data import (
    anonymity,
    collect,
    erase,
    expect,
    features,
    pii,
    profile,
    quarantine,
    statistics,
    stream,
    suggest,
    versions,
)

app = typer.Typer(help="Step 1: versions of the table, features, expectations.")
for topic in (
    collect,
    versions,
    profile,
    quarantine,
    suggest,
    expect,
    features,
    pii,
    stream,
    anonymity,
    statistics,
    erase,
):
    app.registered_commands += topic.app.registered_commands
    app.registered_groups += topic.app.registered_groups
