"""Rebuild silver and gold from bronze."""
