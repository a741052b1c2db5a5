"""Event files of TensorBoard: read into runs, and written from them."""
