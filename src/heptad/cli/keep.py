"""Commands that look after a workspace: doctor, backup, restore, move, export."""

import typer

app = typer.Typer()
