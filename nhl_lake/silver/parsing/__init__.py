"""Parsers of bronze pages that several silver tables share."""
