"""HTTP APIs as sources: how requests are authorised, how pages follow each other, what is kept of them."""
