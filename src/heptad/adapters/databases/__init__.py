"""Tables and queries of databases as sources, by any URL that SQLAlchemy knows."""
