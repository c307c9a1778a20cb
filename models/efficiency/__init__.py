"""Where a plant loses time, pieces, energy and quality: control charts and capability."""
