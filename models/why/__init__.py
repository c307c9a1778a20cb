"""Why a model says what it says: what each signal adds, what was expected, what it looked like before."""
