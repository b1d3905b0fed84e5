"""Declarations of tables: columns, keys, row checks, and the tables of the ledger."""
