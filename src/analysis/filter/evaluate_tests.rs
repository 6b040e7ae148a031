use polars::prelude::{Column, DataFrame, NamedFrom, Series};

use crate::analysis::filter::Filter;
use crate::packets::schema::ColumnType;

/// Five packets; the fifth is null wherever it may be.
fn frame() -> DataFrame {
    let list = |items: &[u8]| Some(Series::new("".into(), items));
    let columns = vec![
        Column::new("packetid".into(), [1_u64, 2, 3, 4, 5]),
        Column::new("abstime".into(), [0_i64, 1, 1_000_000_000, 2_000_000_000, 3_000_000_000])
            .cast(&ColumnType::Instant.data_type())
            .unwrap(),
        Column::new("reltime".into(), [Some(0_i64), Some(250_000_000), Some(250_000_001), Some(-1), None])
            .cast(&ColumnType::Span.data_type())
            .unwrap(),
        Column::new("ipsrc".into(), [Some("10.0.1.1"), Some("10.0.2.1"), Some("fe80::1"), Some(""), None]),
        Column::new("ipdst".into(), [Some("10.0.1.1"), Some("10.0.1.1"), Some("10.0.1.1"), Some(""), None]),
        Column::new("tcplen".into(), [Some(0_u32), Some(1400), Some(0), Some(u32::MAX), None]),
        Column::new("tcpstream".into(), [2_u32, 2, 1, 0, 2]),
        Column::new("sendkey".into(), [Some(u64::MAX), Some(u64::MAX - 1), Some(0xcfe2_ec98), None, None]),
        Series::new("subtype".into(), [list(&[2]), list(&[1, 2]), list(&[]), None, None]).into(),
        Column::new("backup".into(), [Some(true), Some(false), Some(true), None, None]),
    ];
    DataFrame::new_infer_height(columns).unwrap()
}

/// Ids of the packets that the condition keeps.
fn kept(condition: &str) -> Vec<u64> {
    let rows = Filter::parse(condition).unwrap().apply(&frame()).unwrap();
    rows.column("packetid").unwrap().u64().unwrap().iter().flatten().collect()
}

fn refused(condition: &str) -> String {
    Filter::parse(condition).unwrap().mask(&frame()).unwrap_err().to_string()
}

#[test]
fn whole_numbers() {
    assert_eq!(kept("tcplen > 0 and tcpstream == 2"), [2]);
    assert_eq!(kept("tcplen >= 1400"), [2, 4]);
    assert_eq!(kept("tcplen < 1400"), [1, 3]);
    assert_eq!(kept("1400 <= tcplen"), [2, 4]);
    assert_eq!(kept("1400 = tcplen or tcpstream <> 2"), [2, 3, 4]);
    assert_eq!(kept("tcplen = 0x578"), [2]);
    assert_eq!(kept("tcplen > -1"), [1, 2, 3, 4]);
    assert_eq!(kept("tcplen == 4294967295 && tcpstream <= 0"), [4]);
    assert_eq!(kept("tcplen > 1e3"), [2, 4]);
    assert_eq!(kept("tcplen >= 14e2 and tcplen < 1E4"), [2]);
    assert!(refused("tcplen > 1e99").contains("compare it with a number such as 12"));
}

#[test]
fn all_64_bits_count() {
    assert_eq!(kept("sendkey == 18446744073709551615"), [1]);
    assert_eq!(kept("sendkey != 0xffffffffffffffff"), [2, 3]);
    assert_eq!(kept("sendkey > 18446744073709551613"), [1, 2]);
    assert_eq!(kept("sendkey == \"00000000cfe2ec98\""), [3]);
}

#[test]
fn null_compares_to_nothing() {
    assert_eq!(kept("backup"), [1, 3]);
    assert_eq!(kept("not backup"), [2]);
    assert_eq!(kept("backup == true or backup == false"), [1, 2, 3]);
    assert_eq!(kept("backup and tcpstream == 9"), Vec::<u64>::new());
    // A null beside a certain answer: `no and null` is no, so its `not` is yes; `yes or null` is yes.
    assert_eq!(kept("not (backup and tcpstream == 9)"), [1, 2, 3, 4, 5]);
    assert_eq!(kept("backup or tcpstream == 0"), [1, 3, 4]);
    assert_eq!(kept("not (tcplen > 0)"), [1, 3]);
    assert_eq!(kept("tcplen not in (0, 1400)"), [4]);
    assert_eq!(kept("ipsrc == ipdst"), [1, 4]);
    assert_eq!(kept("tcplen is null"), [5]);
    assert_eq!(kept("tcplen is not null and sendkey is null"), [4]);
    assert_eq!(kept("!(subtype IS NULL)"), [1, 2, 3]);
}

#[test]
fn times_are_seconds() {
    assert_eq!(kept("reltime > 0.25"), [3]);
    assert_eq!(kept("reltime <= 0.250000000"), [1, 2, 4]);
    assert_eq!(kept("reltime < 0"), [4]);
    assert_eq!(kept("reltime == -0.000000001"), [4]);
    assert_eq!(kept("abstime >= \"1970-01-01T00:00:02Z\""), [4, 5]);
    assert_eq!(kept("abstime = '1970-01-01T00:00:00.000000001Z'"), [2]);
}

#[test]
fn text_and_lists() {
    assert_eq!(kept("ipsrc == \"10.0.1.1\""), [1]);
    assert_eq!(kept("ipsrc != '10.0.1.1'"), [2, 3, 4]);
    assert_eq!(kept("ipsrc in ('fe80::1', '10.0.2.1')"), [2, 3]);
    assert_eq!(kept("ipsrc contains '10.0.'"), [1, 2]);
    assert_eq!(kept("subtype contains 2"), [1, 2]);
    assert_eq!(kept("not subtype contains 1"), [1, 3]);
}

#[test]
fn columns_compare_with_columns() {
    assert_eq!(kept("tcpstream > packetid"), [1]);
    assert_eq!(kept("packetid <= tcpstream"), [1, 2]);
    assert_eq!(kept("sendkey >= packetid"), [1, 2, 3]);
}

#[test]
fn what_a_type_does_not_allow_is_refused() {
    let at = |position: usize, rest: &str| format!("in the condition, at character {position}: {rest}");
    assert_eq!(refused("tcplen == 1.5"), at(11, "`tcplen` holds whole numbers; compare it with a number such as 12"));
    assert_eq!(
        refused("ipsrc == 10"),
        at(10, "`ipsrc` holds text; compare it with a quoted text such as \"10.0.1.1\"")
    );
    assert_eq!(refused("ipsrc < 'b'"), at(1, "`ipsrc` holds text; compare it with == or !="));
    assert_eq!(refused("subtype == 2"), at(1, "`subtype` holds lists of numbers; ask with `contains`"));
    assert_eq!(
        refused("tcplen"),
        at(1, "`tcplen` holds whole numbers; compare it with something, as in `COLUMN == VALUE`")
    );
    assert_eq!(refused("tcplen == ipsrc"), at(11, "`tcplen` holds whole numbers; `ipsrc` holds text"));
    assert_eq!(refused("1 == 1"), at(1, "two values are compared; use a column on one side"));
    assert_eq!(
        refused("abstime > 'yesterday'"),
        at(11, "`abstime` holds instants; compare it with a quoted instant such as \"2026-11-21T10:00:00Z\"")
    );
}

#[test]
fn an_unknown_column_gets_a_suggestion() {
    assert_eq!(refused("tcpln > 0"), "no column `tcpln`: did you mean `tcplen`? `columns` lists them all");
    assert_eq!(refused("zzz > 0"), "no column `zzz`: `columns` lists them all");
}

#[test]
fn an_empty_frame_has_an_empty_mask() {
    let none = frame().head(Some(0));
    assert_eq!(Filter::parse("tcplen > 0 or backup").unwrap().apply(&none).unwrap().height(), 0);
}

#[test]
fn names_of_wireshark_stand_for_columns() {
    assert_eq!(kept("frame.number == 3"), [3]);
    assert_eq!(kept("tcp.len > 0 and tcp.stream == 2"), [2]);
    assert_eq!(kept("frame.time_relative < 0"), [4]);
    assert_eq!(kept("ip.src == ipdst"), [1, 4]);
    // Either end, and neither.
    assert_eq!(kept("ip.addr == 10.0.2.1"), [2]);
    assert_eq!(kept("ip.addr in (fe80::1, 10.0.2.1)"), [2, 3]);
    assert_eq!(kept("ip.addr != 10.0.1.1"), [4]);
    assert_eq!(kept("not ip.addr == 10.0.1.1"), [4]);
    assert_eq!(refused("tcp.nothing == 1"), "no column `tcp.nothing`: `columns` lists them all");
}

#[test]
fn texts_need_no_quotes_where_no_column_is_meant() {
    assert_eq!(kept("ipsrc == fe80:0::1"), [3]);
    assert_eq!(kept("ipsrc != nowhere"), [1, 2, 3, 4]);
    assert_eq!(kept("ipsrc contains fe"), [3]);
    assert_eq!(kept("ipsrc == ipdst"), [1, 4], "a column is meant");
    assert_eq!(kept("sendkey == cfe2ec98"), [3]);
    assert_eq!(kept("sendkey == 0x00000000cfe2ec98"), [3]);
    assert_eq!(kept("sendkey == '0x00000000cfe2ec98'"), [3]);
    assert_eq!(refused("tcplen == many"), "no column `many`: `columns` lists them all");
}

#[test]
fn bits_of_a_column() {
    // 1400 is 0x578.
    assert_eq!(kept("tcplen & 0x500 == 0x500"), [2, 4]);
    assert_eq!(kept("tcplen & 8"), [2, 4]);
    assert_eq!(kept("not tcplen & 8"), [1, 3]);
    assert_eq!(kept("packetid & 1 and packetid & 4"), [5]);
    assert_eq!(refused("ipsrc & 1"), "in the condition, at character 1: `ipsrc` holds text; `&` is for whole numbers");
}
