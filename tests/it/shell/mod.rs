//! The prompt, scripts and single commands.

pub mod bad_input;
pub mod ended;
pub mod history;
pub mod hostile_names;
pub mod interrupted;
pub mod loaded_prompt;
pub mod no_capture_is_overwritten;
pub mod plain_terminal;
pub mod prompt;
pub mod run_modes;
pub mod shell_lines;
pub mod signals;
pub mod special_files;
pub mod transcripts;
pub mod user_transcripts;
pub mod whole_session;
pub mod without_tshark;
