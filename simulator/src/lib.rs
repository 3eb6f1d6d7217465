//! Emulates the PowerVM REST API of an HMC or a NovaLink.
