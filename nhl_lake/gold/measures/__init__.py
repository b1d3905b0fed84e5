"""Measures: the counts, times and rates of gold tables, one kind per file."""
