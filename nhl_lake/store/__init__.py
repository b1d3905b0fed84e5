"""The one door to disk and S3: tables and their commits, locks and leases, files in folders and buckets."""
