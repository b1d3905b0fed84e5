"""Answers: whose numbers, and per what."""
