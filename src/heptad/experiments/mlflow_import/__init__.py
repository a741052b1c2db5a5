"""Runs of MLflow taken over: from its server, its database file, or its folder."""
