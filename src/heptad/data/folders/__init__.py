"""Folders and large files as versions: trees of content-addressed pieces, named in Git by small pointer files."""
