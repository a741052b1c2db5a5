"""The rules of `[clean]` for one row of plain values, as a server gets it: without Polars, in microseconds."""
