"""Fast inner loops: features of windows of samples, in plain numpy and compiled.

``windows.window_features`` is the one door. The plain path is always there; the compiled one is used
where numba is installed (``pip install 'andon[fast]'``) and says the same to 1e-12 of scale. Nothing
here is compiled, and numba is not imported, before a kernel runs.
"""
