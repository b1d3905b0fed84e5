"""Charts of pages: each a pure function from frames to SVG."""
