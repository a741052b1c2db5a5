"""What columns hold: types, times, roles, keys, and what is suspect about them."""
