"""What a run logs, first in a local file, from there in bulk to the store."""
