//! Plots have room for all that they say, on pages and in terminals, and fit whatever a capture holds.

use mptcpanalyzer::packets::LoadedCapture;
use std::sync::Arc;

use mptcpanalyzer::drawing::figure::Figure;
use mptcpanalyzer::drawing::{PictureFormat, Size, Target, render};

use crate::support::drawn::{draw, scenario, try_draw};
use crate::support::scenarios;

const LINES: [&str; 12] = [
    "tcp_attr 0 rwnd",
    "mptcp_attr 0 dsn",
    "tcp_tput 0",
    "mptcp_tput 0",
    "mptcp_gput 0 --window-type sliding",
    "acksize 0",
    "acksize 0 --distribution",
    "interarrival mptcp 0",
    "interarrival tcp 0 --all-packets",
    "dss_len 0",
    "flight 0",
    "cwnd 0",
];

fn rendered(figure: &Figure, kind: PictureFormat, width: u32, height: u32) -> String {
    let mut target = Target::new(kind);
    target.size = Size { width, height };
    let bytes = render(figure, &target).unwrap_or_else(|error| panic!("{}: {error}", figure.title));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Four subflows, both directions: as many series as there will be.
#[test]
fn nothing_is_left_out_for_lack_of_room() {
    let Some((_, capture)) = scenario("02_fullmesh/client.pcap") else { return };
    for line in LINES {
        let figure = draw(&capture, line);
        let terminal = rendered(&figure, PictureFormat::Text { colour: false }, 80, 23);
        assert!(terminal.lines().count() <= 23, "{line}\n{terminal}");
        let picture = rendered(&figure, PictureFormat::Svg, 900, 600);
        for drawn in [&terminal, &picture] {
            assert!(!drawn.contains("omitted for lack"), "{line}\n{terminal}");
            assert!(!drawn.contains(" more</text>") && !drawn.contains("… and "), "{line}: the legend is cut");
        }
        assert!(!terminal.contains("no data"), "{line}\n{terminal}");
        for panel in &figure.panels {
            assert!(!panel.x.label.is_empty() && !panel.y.label.is_empty() && panel.title.is_some(), "{line}");
        }
        assert!(!figure.caption.is_empty(), "{line}");
    }
}

fn draws_or_says_why(capture: &Arc<LoadedCapture>, label: &str, line: &str) {
    match try_draw(capture, line) {
        Ok(figure) => {
            rendered(&figure, PictureFormat::Text { colour: false }, 80, 40);
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "{label} {line}: {error}"),
    }
}

/// Without keys, without handshakes, after a fallback, cut short: each plot shows what there is.
#[test]
fn every_plot_makes_something_of_every_capture() {
    let mut drawn = 0;
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        if !["07", "08a", "09", "12b", "13"].iter().any(|scenario| label.starts_with(scenario)) {
            continue;
        }
        let Some(capture) = scenarios::load(&path) else { continue };
        for line in LINES {
            draws_or_says_why(&capture, &label, line);
            drawn += 1;
        }
    }
    assert!(drawn > 200 || scenarios::folder().is_none(), "only {drawn}");
}
