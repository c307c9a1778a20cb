"""Steps from one shape of the state database to the next, run when it is opened."""
