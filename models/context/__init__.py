"""How a machine runs, and what that lets expect of it: learnt with a model, and applied to its rows."""
