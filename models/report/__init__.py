"""A report that stands alone: one page with the pictures that people look at, from a card or a backtest."""
