//! Figures made by hand, for tests and for looking at.

use super::figure::*;

/// Numbers that look random and are the same each time.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    pub(super) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((self.0 >> 40) as u32) / f64::from(1_u32 << 24)
    }
}

/// A time-sequence plot with four subflows, acknowledgements, the window's edge and reinjections, over their rates.
pub(super) fn time_sequence() -> Figure {
    let mut dice = Dice::new(7);
    let mut strokes = vec![Vec::new(); 4];
    let (mut reinjections, mut acknowledged, mut edge) = (Vec::new(), Vec::new(), Vec::new());
    let (mut time, mut next, mut sent) = (0.0, 1.0, 0.0);
    while time < 12.0 {
        time += 0.002 + 0.01 * dice.roll() * dice.roll() + if (4.0..4.6).contains(&time) { 0.08 } else { 0.0 };
        let shares: [f64; 4] = if time < 6.0 { [0.5, 0.8, 0.95, 1.0] } else { [0.1, 0.5, 0.6, 1.0] };
        let roll = dice.roll();
        let subflow = shares.iter().position(|share| roll < *share).unwrap();
        let length = 1428.0 * (1.0 + (dice.roll() * 4.0).floor());
        let late = if dice.roll() < 0.03 { 90_000.0 * dice.roll() } else { 0.0 };
        strokes[subflow].push(VerticalStroke {
            x: time,
            y_low: (next - late).max(1.0),
            y_high: (next - late).max(1.0) + length,
        });
        if late > 60_000.0 {
            reinjections.push(Point { x: time, y: (next - late).max(1.0) });
        }
        next += if late > 0.0 { 0.0 } else { length };
        sent += length;
        if dice.roll() < 0.4 {
            acknowledged.push(Point { x: time + 0.02, y: (next - 60_000.0 - 60_000.0 * dice.roll()).max(1.0) });
            edge.push(Point { x: time + 0.02, y: next + 260_000.0 + 20_000.0 * dice.roll() });
        }
    }
    let _ = sent;
    for index in 1..acknowledged.len() {
        acknowledged[index].y = acknowledged[index].y.max(acknowledged[index - 1].y);
        edge[index].y = edge[index].y.max(edge[index - 1].y);
    }
    let mut sequence = Panel::new(Axis::new("time", Unit::Seconds), Axis::new("data sequence number", Unit::Bytes));
    for (index, strokes) in strokes.iter().enumerate() {
        let name =
            ["10.0.1.1 → 10.0.1.2", "10.0.2.1 → 10.0.1.2", "10.0.3.1 → 10.0.1.2", "fd00::4:1 → fd00::1:2"][index];
        sequence = sequence.with_series(Series::new(
            name,
            Role::subflow(index as u32),
            Marks::VerticalStrokes(strokes.clone()),
        ));
    }
    let sequence = sequence
        .with_series(Series::new("DATA_ACK", Role::of(RoleKind::Acknowledgement), Marks::Steps(acknowledged)))
        .with_series(Series::new("edge of the receive window", Role::of(RoleKind::WindowEdge), Marks::Steps(edge)))
        .with_series(Series::new("reinjection", Role::of(RoleKind::Reinjection), Marks::Points(reinjections)))
        .with_annotation(Annotation::at(0.4, "MP_JOIN 2"))
        .with_annotation(Annotation::at(0.7, "MP_JOIN 3"))
        .with_annotation(Annotation::at(4.0, "path 1 is lost"))
        .with_annotation(Annotation::at(11.95, "DATA_FIN"))
        .with_annotation(Annotation::at_point(4.5, 1_300_000.0, "standstill, 600 ms"));
    Figure::new("Connection 0, data towards the client")
        .with_caption("Data sequence numbers are relative to the initial one. Captured at the server: what was sent, in the order of sending.")
        .with_panel(sequence)
        .with_panel(rates(&strokes))
}

fn rates(strokes: &[Vec<VerticalStroke>]) -> Panel {
    let mut panel = Panel::new(Axis::new("time", Unit::Seconds), Axis::new("rate", Unit::BytesPerSecond));
    let mut totals = [0.0; 25];
    for (index, strokes) in strokes.iter().enumerate() {
        let mut buckets = [0.0; 25];
        for stroke in strokes {
            let bucket = ((stroke.x * 2.0) as usize).min(24);
            buckets[bucket] += (stroke.y_high - stroke.y_low) * 2.0;
            totals[bucket] += (stroke.y_high - stroke.y_low) * 2.0;
        }
        let points = buckets.iter().enumerate().map(|(at, y)| Point { x: at as f64 / 2.0, y: *y }).collect();
        let name =
            ["10.0.1.1 → 10.0.1.2", "10.0.2.1 → 10.0.1.2", "10.0.3.1 → 10.0.1.2", "fd00::4:1 → fd00::1:2"][index];
        panel = panel.with_series(Series::new(name, Role::subflow(index as u32), Marks::Lines(points)));
    }
    let points = totals.iter().enumerate().map(|(at, y)| Point { x: at as f64 / 2.0, y: *y }).collect();
    panel.with_series(Series::new("all subflows", Role::of(RoleKind::Total), Marks::Steps(points)))
}

/// A sequence diagram: messages between lifelines, time downwards.
pub(super) fn ladder() -> Figure {
    let texts = [
        ("SYN MP_CAPABLE", 0.0, 1.0, 0.0),
        ("SYN/ACK MP_CAPABLE key 2f1c…", 1.0, 0.0, 0.021),
        ("ACK MP_CAPABLE, both keys", 0.0, 1.0, 0.0417),
        ("DSS 1…1429", 0.0, 1.0, 0.058),
        ("DATA_ACK 1429", 1.0, 0.0, 0.08),
        ("SYN MP_JOIN token 5f32aa10", 2.0, 3.0, 0.102),
        ("SYN/ACK MP_JOIN, HMAC", 3.0, 2.0, 0.14),
        ("ACK MP_JOIN, HMAC", 2.0, 3.0, 0.18),
    ];
    let arrow = |(text, from, to, at): (&str, f64, f64, f64)| Arrow {
        from: Point { x: from, y: at },
        to: Point { x: to, y: at + 0.019 },
        text: text.to_string(),
    };
    let (first, second): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(_, from, ..)| *from < 2.0);
    let names = ["client 10.0.1.1", "server 10.0.1.2:5001", "client 10.0.2.1", "server 10.0.1.2:5001"];
    let panel = Panel::new(Axis::of_categories("", names), Axis::new("time", Unit::Seconds).reversed())
        .with_series(Series::new(
            "initial subflow",
            Role::subflow(0),
            Marks::Arrows(first.into_iter().map(arrow).collect()),
        ))
        .with_series(Series::new(
            "joined subflow",
            Role::subflow(1),
            Marks::Arrows(second.into_iter().map(arrow).collect()),
        ))
        .with_annotation(Annotation::at_point(2.0, 0.1, "join starts"));
    Figure::new("Handshakes of connection 0").with_panel(panel)
}

/// A histogram and a distribution over a logarithmic axis.
pub(super) fn distribution() -> Figure {
    let mut dice = Dice::new(3);
    let mut series = Vec::new();
    let mut bars = Vec::new();
    for (index, middle) in [0.02, 0.08].into_iter().enumerate() {
        let mut values: Vec<f64> =
            (0..900).map(|_| middle * (0.6 + dice.roll() + dice.roll() * dice.roll() * 3.0)).collect();
        values.sort_by(f64::total_cmp);
        let points = values.iter().enumerate().map(|(at, x)| Point { x: *x, y: (at + 1) as f64 / 900.0 }).collect();
        series.push(Series::new(format!("subflow {index}"), Role::subflow(index as u32), Marks::Steps(points)));
        let counted = (0..20).map(|bin| {
            let (low, high) = (f64::from(bin) * 0.02, f64::from(bin + 1) * 0.02);
            let count = values.iter().filter(|value| low <= **value && **value < high).count();
            Bar { x_low: low, x_high: high, y: count as f64 }
        });
        bars.push(Series::new(format!("subflow {index}"), Role::subflow(index as u32), Marks::Bars(counted.collect())));
    }
    let mut shares =
        Panel::new(Axis::new("round trip", Unit::Seconds).logarithmic(), Axis::new("samples", Unit::Share));
    shares.series = series;
    shares = shares.with_annotation(Annotation::at(0.1, "100 ms"));
    let mut counts =
        Panel::new(Axis::new("round trip", Unit::Seconds), Axis::new("samples", Unit::Count)).titled("Histogram");
    counts.series = bars;
    Figure::new("Round trips").with_panel(shares).with_panel(counts)
}

/// Writes pictures to the directory that `FIGURES` names.
#[test]
#[ignore = "for looking at"]
fn draw_for_looking_at() {
    use super::render::{PictureFormat, Protocol, Target, render};
    use super::style::Style;
    let Some(directory) = std::env::var_os("FIGURES") else { return };
    let directory = std::path::PathBuf::from(directory);
    for (name, figure) in all() {
        for style in Style::NAMES {
            for (width, height) in [(400, 300), (900, 600), (1600, 500), (3000, 2000)] {
                let target = Target {
                    style: Style::find(style).unwrap(),
                    ..Target::new(PictureFormat::Png).sized(width, height)
                };
                let started = std::time::Instant::now();
                let Ok(png) = render(&figure, &target) else { continue };
                println!("{name} {style} {width} {} bytes {:?}", png.len(), started.elapsed());
                std::fs::write(directory.join(format!("{name}-{style}-{width}.png")), png).unwrap();
                let svg = render(&figure, &Target { kind: PictureFormat::Svg, ..target }).unwrap();
                std::fs::write(directory.join(format!("{name}-{style}-{width}.svg")), svg).unwrap();
            }
        }
        for (width, height) in [(80, 24), (120, 40), (200, 50)] {
            for (kind, ending) in
                [(PictureFormat::Text { colour: false }, "plain"), (PictureFormat::Text { colour: true }, "ansi")]
            {
                let Ok(text) = render(&figure, &Target::new(kind).sized(width, height)) else { continue };
                std::fs::write(directory.join(format!("{name}-{width}.{ending}.txt")), text).unwrap();
            }
        }
        std::fs::write(
            directory.join(format!("{name}.xpl")),
            render(&figure, &Target::new(PictureFormat::Xplot)).unwrap(),
        )
        .unwrap();
        for protocol in [Protocol::Kitty, Protocol::Iterm2, Protocol::Sixel] {
            let sequence = render(&figure, &Target::new(PictureFormat::Terminal(protocol))).unwrap();
            std::fs::write(directory.join(format!("{name}.{protocol:?}")), sequence).unwrap();
        }
        let target = Target { dpi: 192.0, ..Target::new(PictureFormat::Png).sized(900, 600) };
        std::fs::write(directory.join(format!("{name}-dpi.png")), render(&figure, &target).unwrap()).unwrap();
    }
}

/// More of everything than there is room for.
pub(super) fn crowded() -> Figure {
    let mut dice = Dice::new(11);
    let mut panel = Panel::new(
        Axis::new("a label of an axis that is longer than any sensible label would ever be", Unit::Seconds),
        Axis::new("another such label, for the axis that runs upwards, and longer still than the other", Unit::Bytes),
    )
    .titled("A panel whose title goes on and on, as titles do that were made by a program and not by a person");
    for index in 0..30 {
        let points = (0..40).map(|at| Point { x: f64::from(at), y: 1e9 * dice.roll() }).collect();
        let name = format!("series {index} of a name with some length 2001:db8:0:{index}::1 → 2001:db8::2");
        panel = panel.with_series(Series::new(name, Role::subflow(index), Marks::Lines(points)));
        panel = panel.with_annotation(Annotation::at(f64::from(index) / 3.0, format!("event number {index}")));
        panel = panel.with_annotation(Annotation::at_point(f64::from(index), 5e8, "somewhere in the middle"));
    }
    let names = (0..12).map(|index| format!("host number {index} with its address 10.0.{index}.1"));
    let arrows = (0..60).map(|index| Arrow {
        from: Point { x: f64::from(index % 12), y: f64::from(index) / 100.0 },
        to: Point { x: f64::from((index + 1) % 12), y: f64::from(index + 2) / 100.0 },
        text: format!("message number {index}"),
    });
    let diagram = Panel::new(Axis::of_categories("hosts", names), Axis::new("time", Unit::Seconds).reversed())
        .with_series(Series::new("messages", Role::of(RoleKind::Event), Marks::Arrows(arrows.collect())));
    Figure::new(
        "A title of more words than anybody would read, which has to be wrapped, and in the end has to be shortened",
    )
    .with_caption("A caption with a sentence. And another one, so that it becomes long. ".repeat(6))
    .with_panel(panel)
    .with_panel(diagram)
}

/// All figures of this file.
pub(super) fn all() -> [(&'static str, Figure); 4] {
    [("tsg", time_sequence()), ("ladder", ladder()), ("distribution", distribution()), ("crowded", crowded())]
}

/// A figure small enough to read its drawing.
pub(super) fn small() -> Figure {
    let point = |x: f64, y: f64| Point { x, y };
    let strokes = [(0.1, 0.0, 400.0), (0.4, 400.0, 900.0), (0.7, 900.0, 1000.0)];
    let strokes = strokes.map(|(x, y_low, y_high)| VerticalStroke { x, y_low, y_high }).to_vec();
    let panel = Panel::new(Axis::new("time", Unit::Seconds), Axis::new("sent", Unit::Bytes))
        .with_series(Series::new("a < b", Role::subflow(0), Marks::VerticalStrokes(strokes)))
        .with_series(Series::new(
            "",
            Role::of(RoleKind::Acknowledgement),
            Marks::Steps(vec![point(0.2, 0.0), point(0.5, 400.0), point(0.9, 1000.0)]),
        ))
        .with_series(Series::new("lost", Role::of(RoleKind::Retransmission), Marks::Points(vec![point(0.7, 950.0)])))
        .with_annotation(Annotation::at(0.4, "join"));
    Figure::new("A & B").with_caption("By hand.").with_panel(panel)
}
