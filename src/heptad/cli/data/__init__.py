"""`heptad data`: step 1, a file for each topic."""

import typer

from heptad.cli.data import expect, features, profile, quarantine, stream, suggest, versions

app = typer.Typer(help="Step 1: versions of the table, features, expectations.")
for topic in (versions, profile, quarantine, stream, suggest, expect, features):
    app.registered_commands += topic.app.registered_commands
    app.registered_groups += topic.app.registered_groups
