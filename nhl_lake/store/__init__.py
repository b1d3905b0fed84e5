"""Storage: the only modules that write to disk or S3. Tables and commits, locks and leases, files and buckets."""
