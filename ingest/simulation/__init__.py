"""Make a plant up: machines that run, wear, leak, clog, fail and are repaired, and the truth about it."""
