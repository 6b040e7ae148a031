//! Memory limit for the packets of captures.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

/// The limit in bytes, 0 as long as none was set.
static LIMIT: AtomicU64 = AtomicU64::new(0);

/// Where nothing tells how much is free, in bytes.
const FALLBACK: u64 = 4 << 30;

/// A smaller limit leaves no room for the program itself, in bytes.
pub const LEAST: u64 = 64 << 20;

/// Sets the limit, in bytes.
pub fn set_limit(bytes: u64) {
    LIMIT.store(bytes.max(LEAST), Ordering::Relaxed);
}

/// The limit, in bytes: what was set, or half of what the machine had free when it was first asked for.
#[must_use]
pub fn limit() -> u64 {
    if LIMIT.load(Ordering::Relaxed) == 0 {
        set_limit(free().unwrap_or(FALLBACK) / 2);
    }
    LIMIT.load(Ordering::Relaxed)
}

/// Memory of this process, in bytes: Linux's `VmRSS`. `None` where the system does not tell.
#[must_use]
pub fn used() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// Most memory of this process at one time since [`forget_peak`] or its start, in bytes: Linux's `VmHWM`. `None` where the
/// system does not tell.
#[must_use]
pub fn peak() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// Has [`peak`] begin at the memory that this process uses now. Where the system refuses, it goes on as before.
pub fn forget_peak() {
    // proc(5), "clear_refs", since Linux 4.0.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Free memory of the machine, or in the control group that this process is confined to, in bytes.
fn free() -> Option<u64> {
    let machine = kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?;
    let number = |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse::<u64>().ok();
    let group = number("memory.max").map(|most| most.saturating_sub(number("memory.current").unwrap_or(0)));
    Some(group.map_or(machine, |group| group.min(machine)))
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// An amount as a person writes it: `2GiB`, `500MB`, `1500000`.
///
/// # Errors
/// Form of an amount.
pub fn parse(text: &str) -> Result<u64, &'static str> {
    const UNITS: [(&str, u64); 11] = [
        ("TiB", 1 << 40),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TB", 1_000_000_000_000),
        ("kB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("M", 1 << 20),
        ("G", 1 << 30),
        ("", 1),
    ];
    let text = text.trim();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?.trim_end(), *factor)))
        .filter(|(number, _)| is_number(number))
        .ok_or("not a valid amount of memory; give a number with MB, MiB, GB or GiB, at least 64MiB")?;
    // What has digits alone and is not a number here has too many of them.
    let amount = number.parse().ok().and_then(|number: u64| number.checked_mul(factor));
    match amount {
        Some(amount) if amount >= LEAST => Ok(amount),
        Some(_) => Err("too little memory; give at least 64MiB"),
        None => Err("more memory than any computer has; give less, such as 64GiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units() {
        assert_eq!(parse("2GiB"), Ok(2_147_483_648));
        assert_eq!(parse("500 MB"), Ok(500_000_000));
        assert_eq!(parse("100000000"), Ok(100_000_000));
        assert_eq!(parse("2 TiB"), Ok(2_199_023_255_552));
        for (wrong, says) in [
            ("", "not a valid"),
            ("GiB", "not a valid"),
            ("-1G", "not a valid"),
            ("1.5GiB", "not a valid"),
            ("63MiB", "at least 64MiB"),
            ("99999999999GiB", "give less"),
            ("99999999999TiB", "give less"),
            ("100000000000000000000", "give less"),
        ] {
            let said = parse(wrong).expect_err(wrong);
            assert!(said.contains(says), "{wrong}: {said}");
        }
    }

    #[test]
    fn this_process_uses_some() {
        assert!(used().is_some_and(|bytes| bytes > 1 << 20));
        assert!(peak() >= used());
        assert!(limit() >= LEAST);
    }
}
