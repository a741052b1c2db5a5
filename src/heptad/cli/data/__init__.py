"""`heptad data`: step 1, a file for each topic."""

import typer

from heptad.cli.data import features, quarantine, suggest, versions

app = typer.Typer(help="Step 1: versions of the table, its features, what is wrong in it.")
for topic in (versions, quarantine, suggest, features):
    app.registered_commands += topic.app.registered_commands
    app.registered_groups += topic.app.registered_groups
