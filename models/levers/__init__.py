"""Levers: at which readings rejects are more frequent, by how much, and how sure that is."""
