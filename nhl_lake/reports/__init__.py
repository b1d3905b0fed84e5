"""Pages and pictures of the lake: the data of each, and its drawing."""
