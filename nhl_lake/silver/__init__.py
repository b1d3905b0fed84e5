"""Clean tables: one for each thing that the API talks about."""
