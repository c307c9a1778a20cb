"""At the edge: hand on to a central Andon what the streams of a plant brought, once and in order."""
