"""Maintain a lake: compact and vacuum it, diagnose and repair damage, upgrade its layout."""
