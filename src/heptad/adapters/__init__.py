"""Optional outside technology, one file each, found by name through the catalogue."""
