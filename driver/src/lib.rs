//! Drives a PowerVM host through the REST API of its HMC or NovaLink.
