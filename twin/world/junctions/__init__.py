"""The signalised junctions of the world: what SUMO's traffic lights show, and what detectors perceive there."""
