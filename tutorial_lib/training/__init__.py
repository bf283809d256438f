"""What trained the embedded models in data/tiny."""
