//! Times that limit how long something may take.

use std::time::Duration;

/// The longest, in seconds: some 34 years. Longer ones cannot be added to the clock.
const LONGEST: u64 = 1 << 30;

/// A time as typed, in seconds: at least a millisecond.
///
/// # Errors
/// A sentence when it is not a number of seconds in these bounds.
pub fn parse(text: &str) -> Result<Duration, &'static str> {
    let wrong = "not a valid time; give seconds, at least 0.001";
    let seconds: f64 = text.parse().map_err(|_| wrong)?;
    if seconds > Duration::from_secs(LONGEST).as_secs_f64() {
        return Err("too long a time; give at most 1073741824 seconds");
    }
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration.filter(|duration| *duration >= Duration::from_millis(1)).ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_within_bounds() {
        assert_eq!(parse("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "x", "NaN", "0.0001", "-1e300", "-inf"] {
            assert_eq!(parse(wrong), Err("not a valid time; give seconds, at least 0.001"), "{wrong}");
        }
        for wrong in ["1e300", "inf", "1073741825"] {
            assert_eq!(parse(wrong), Err("too long a time; give at most 1073741824 seconds"), "{wrong}");
        }
    }
}
