"""The machine: devices, compiled loops, SIMD registers, progress."""
