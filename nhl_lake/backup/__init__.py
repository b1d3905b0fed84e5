"""Backups: data files by hash, log packs, one manifest a backup. Create, verify, prune and restore them."""
