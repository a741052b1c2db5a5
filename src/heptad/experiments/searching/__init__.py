"""The search for good parameters: what may be tried, who proposes it, how trials are run, and what came of them."""
