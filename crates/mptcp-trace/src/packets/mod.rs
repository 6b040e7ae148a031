//! From a capture file to [`segment::Segment`]s, the currency of the pipeline, and what was noted of the frame around
//! each. This room says what is *in* each packet; what packets mean together is [`crate::tracking`]'s question.

pub mod capture_file;
mod dissection;
pub mod flows;
pub mod frames;
pub mod native;
pub mod option_form;
pub mod segment;

pub use dissection::{Builder, CaptureFacts, Dissection, Interface, Packets, SoFar};
