"""Training the tiny models in data/tiny from nothing."""
