"""Labelling functions: rules that vote on labels, and the model that weighs their votes."""
