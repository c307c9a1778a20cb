"""What is normal, how far a machine is from it, and how often a healthy one would be."""
