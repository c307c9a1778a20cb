"""The pages that people look at: rendered here, no script needed in the browser."""
