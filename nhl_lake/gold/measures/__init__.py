"""What gold tables count, a measure a file."""
