"""Published contract tests: subclass one to prove an adapter of your own."""
