"""Decode bronze pages: what several silver tables share."""
