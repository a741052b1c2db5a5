"""Follow trainings of other libraries in a run, one file a library: a callback for it, and how its models are kept."""
