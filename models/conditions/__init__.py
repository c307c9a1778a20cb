"""What an inspection of a piece, a cycle or a machine would record, told from its signals."""
