"""Pages of the NHL's API: which there are, what each must be, and what is kept of them."""
