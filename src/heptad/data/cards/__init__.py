"""Data cards: what people state of a data set, and what its versions tell of themselves."""
