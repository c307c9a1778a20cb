"""Remaining life: how long machines lived, what is learnt of it, and how sure that is."""
