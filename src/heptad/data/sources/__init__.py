"""Where rows come from: the contract of a source, and files of every kind."""
