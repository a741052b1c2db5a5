"""Personal data in step 1: found, treated, measured, and told only with noise."""
