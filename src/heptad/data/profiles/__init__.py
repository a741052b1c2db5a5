"""What is known of a version's columns without reading its rows again."""
