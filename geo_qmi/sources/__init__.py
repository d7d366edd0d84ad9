"""Where do outside data come from? One file a format or publisher; readers parse and decide nothing."""
