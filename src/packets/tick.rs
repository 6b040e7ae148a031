//! x
#![allow(missing_docs, clippy::all, clippy::pedantic)]
use std::sync::Mutex;
use std::collections::BTreeMap;
use std::time::Instant;
pub static T: Mutex<BTreeMap<(&'static str, String), (u128, usize)>> = Mutex::new(BTreeMap::new());
pub fn t<R>(kind: &'static str, name: &str, f: impl FnOnce() -> R) -> R {
    let s = Instant::now();
    let r = f();
    let d = s.elapsed().as_nanos();
    let mut m = T.lock().unwrap_or_else(|e| e.into_inner());
    let e = m.entry((kind, name.to_string())).or_default();
    e.0 += d; e.1 += 1;
    r
}
pub fn at(what: &str) {
    let mut ts = nix::libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[allow(unsafe_code)]
    unsafe { nix::libc::clock_gettime(nix::libc::CLOCK_MONOTONIC, &mut ts); }
    let _ = START.set(Instant::now());
    eprintln!("AT {:?} {:.1} {what}", std::thread::current().id(), START.get().map_or(0.0, |s| s.elapsed().as_secs_f64() * 1e3));
}
pub static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
pub fn show() {
    let m = T.lock().unwrap_or_else(|e| e.into_inner());
    let mut sums: BTreeMap<&str, u128> = BTreeMap::new();
    for ((k, _), (n, _)) in m.iter() { *sums.entry(k).or_default() += n; }
    eprintln!("{sums:?}");
    let mut v: Vec<_> = m.iter().collect();
    v.sort_by_key(|x| std::cmp::Reverse(x.1.0));
    for ((k, n), (d, c)) in v.into_iter().take(70) { eprintln!("{:8.2} ms {c:5} {k} {n}", *d as f64 / 1e6); }
}
