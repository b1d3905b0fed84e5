"""Fetch what the lake is missing: plan requests, send them, append the pages to bronze."""
