"""The recipes that train the tiny models and write `data/tiny`."""
