"""What is done when something is lost or damaged: finding it, mending it, restores, rehearsals, upgrades."""
