"""What versions are held to."""
