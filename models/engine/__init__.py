"""Where heavy work runs: here, in processes of this machine, or on a Dask cluster."""
