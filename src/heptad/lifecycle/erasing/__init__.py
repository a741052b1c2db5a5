"""Erasure: people's rows leave every place where any step keeps them, however often that is interrupted."""
