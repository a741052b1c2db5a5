"""Benchmarks: each figure beside the limit that it is compared to, measured in the same run."""
