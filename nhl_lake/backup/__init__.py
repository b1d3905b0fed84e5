"""Backups of the lake: data files by hash, logs in packs, a manifest a backup; written, held against, thinned out."""
