"""How many clients a worker of a server accepts at once."""

MOST_CONNECTIONS, OWN_DESCRIPTORS = 1024, 64


def connections(workers: int, descriptors: int) -> int:
    """How many connections a worker accepts: more than it has descriptors for would leave none to read a package."""
    return max(8, min(MOST_CONNECTIONS // workers, descriptors - OWN_DESCRIPTORS))
