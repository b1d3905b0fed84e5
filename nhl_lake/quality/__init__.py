"""Compare what the lake says with what the pages say."""
