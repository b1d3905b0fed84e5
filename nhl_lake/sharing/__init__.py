"""Publications: tables of a lake as plain files for others, on a disk, a bucket or any web host."""
