//! Between the raw columns of the packet table and [`Segment`]s, both ways the same content.
