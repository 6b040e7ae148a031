//! Streams and connections of two captures are found in each other.

use std::collections::BTreeMap;

use mptcpanalyzer::analysis::mapping::Mapper;

use crate::mapping_truth::{Truth, all_ends};
use crate::scenarios;

#[test]
fn every_stream_and_connection_is_found_at_the_other_end() {
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for ends in all_ends() {
        let (Some(first), Some(second)) = (scenarios::load(&ends.first), scenarios::load(&ends.second)) else {
            continue;
        };
        let label = ends.label();
        let truth = Truth::of(&ends);
        let mapper = Mapper::new(&first, &second);
        for stream in 0..truth.streams() {
            let found = mapper.tcp(stream);
            let expected = truth.counterparts(stream);
            let best = found.first().map(|one| one.mapped);
            let right = best.map_or(expected.is_empty(), |best| expected.contains(&best));
            if !right {
                wrong.push(format!("{label}: stream {stream} is {best:?}, not {expected:?}"));
            }
            *counts.entry("streams").or_default() += 1;
            if expected.is_empty() {
                println!("{label}: {stream} has no counterpart");
            }
            if expected.len() > 1 {
                println!("{label}: {stream} has {expected:?}");
            }
            for other in found.iter().filter(|one| !expected.contains(&one.mapped)) {
                println!("{label}: {stream}: also {} {}", other.mapped, other.bits);
            }
            if let Some(best) = found.first() {
                let least = counts.entry("least").or_insert(9999);
                *least = (*least).min(best.bits as usize);
            }
        }
        for (one, other) in truth.same_connections() {
            let connection = first.tracking.subflow(one).unwrap().connection;
            let expected = second.tracking.subflow(other).unwrap().connection;
            let found = mapper.mptcp(connection);
            let Some(best) = found.first() else {
                wrong.push(format!("{label}: connection {connection} is nowhere"));
                continue;
            };
            if best.mapped != expected || !best.certain || best.flipped {
                wrong.push(format!("{label}: connection {connection} is {best:?}, not {expected}"));
            }
            *counts.entry("connections").or_default() += 1;
            for subflow in &best.subflows {
                let Some(stream) = subflow.tcpstream else {
                    println!("{label}: {connection}: only there {:?}", subflow.mapped);
                    continue;
                };
                let expected = truth.counterparts(stream);
                let right = subflow.mapped.map_or(expected.is_empty(), |mapped| expected.contains(&mapped));
                if !right {
                    wrong.push(format!("{label}: subflow {stream} is {:?}, not {expected:?}", subflow.mapped));
                }
                *counts.entry("subflows").or_default() += 1;
            }
        }
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
