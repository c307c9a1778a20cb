"""A report that stands alone: one page with the pictures that people look at, made of the figures of a card or backtest."""
