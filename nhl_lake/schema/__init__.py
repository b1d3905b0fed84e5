"""What a table is: columns, keys, checks, and the ledger's own tables."""
