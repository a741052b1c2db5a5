"""`heptad data`: step 1, a file for each topic."""

import typer

from heptad.cli.data import collect, expect, features, folders, profile, quarantine, suggest, versions

app = typer.Typer(help="Step 1: versions of tables and folders, features, rules.")
for topic in (collect, versions, profile, quarantine, suggest, expect, features, folders):
    app.registered_commands += topic.app.registered_commands
    app.registered_groups += topic.app.registered_groups
