"""Takes the rows of a person out of every place where step 1 keeps them."""
