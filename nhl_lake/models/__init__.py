"""Models fitted from gold tables, and their predictions."""
