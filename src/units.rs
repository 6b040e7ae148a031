//! Numbers with their units as people read them.
