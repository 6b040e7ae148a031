use crate::whole_file::Force;
use std::fs;
use std::ops::Range;
use std::path::Path;

use polars::prelude::*;
use polars_io::ipc::IpcReader;
use polars_io::parquet::read::ParquetReader;

use super::read::{columns, facts};
use super::{Parts, TableForm, recognise, write, write_parts};
use crate::delimiter::Delimiter;
use crate::error::Error;
use crate::packets::LoadError;
use crate::packets::cells::Cells;
use crate::packets::schema::{self, ColumnType, Origin};

/// Three rows with every column of the schema: extreme values, ordinary values, nulls; and one further field.
fn table() -> DataFrame {
    let mut columns: Vec<Column> = schema::COLUMNS.iter().map(|spec| column(spec.name, spec.kind)).collect();
    columns.push(Column::new("ip.dsfield.dscp".into(), [Some("46, \"x\"\ny"), Some("0"), None]));
    DataFrame::new(3, columns).unwrap()
}

fn column(name: &str, kind: ColumnType) -> Column {
    let name: PlSmallStr = name.into();
    if name == "packetid" {
        return Column::new(name, [1_u64, 3, u64::MAX]);
    }
    match kind {
        ColumnType::U8 => Column::new(name, [Some(u8::MAX), Some(0), None]),
        ColumnType::U16 => Column::new(name, [Some(u16::MAX), Some(0), None]),
        ColumnType::U32 => Column::new(name, [Some(u32::MAX), Some(0), None]),
        ColumnType::U64 => Column::new(name, [Some(u64::MAX), Some((1 << 63) + 1), None]),
        ColumnType::Bool => Column::new(name, [Some(true), Some(false), None]),
        ColumnType::Text => Column::new(name, [Some("fe80::1%\u{1b},;\"é"), Some("a"), None]),
        ColumnType::ListU8 => list(name, Series::new("".into(), [0_u8, 255])),
        ColumnType::ListU32 => list(name, Series::new("".into(), [0, u32::MAX])),
        ColumnType::ListU64 => list(name, Series::new("".into(), [0, u64::MAX])),
        ColumnType::Instant | ColumnType::Span => {
            Column::new(name, [Some(i64::MAX), Some(-1), None]).cast(&kind.data_type()).unwrap()
        }
    }
}

fn list(name: PlSmallStr, items: Series) -> Column {
    let none = items.clear();
    Series::new(name, [Some(items), Some(none), None]).into()
}

fn raw_columns(table: &DataFrame) -> DataFrame {
    let names: Vec<&str> = schema::packet_columns().map(|spec| spec.name).chain(["ip.dsfield.dscp"]).collect();
    table.select(names).unwrap()
}

fn reason(path: &Path) -> String {
    match columns(path) {
        Err(LoadError::ForeignTable { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_raw_column_comes_back_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let expected = raw_columns(&table());
    let path = directory.path().join("t.csv");
    write(&table(), &path, TableForm::Csv, Delimiter::COMMA, Force::NotGiven).unwrap();
    assert!(recognise(&path));
    let read = columns(&path).unwrap();
    assert_eq!(read.schema(), expected.schema());
    assert!(read.equals_missing(&expected), "{read:?}\n{expected:?}");
    let facts = facts(&read);
    assert_eq!(facts.frames, 3);
    let interfaces: Vec<_> = facts.interfaces.iter().map(|it| (it.id, it.packets)).collect();
    assert_eq!(interfaces, [(0, 1), (1, 1)]);
    let left: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["t.csv"], "no temporary file stays");
    fs::remove_file(path).unwrap();
}

/// What the crate `csv` makes of cells as they are printed everywhere else.
fn by_the_crate(table: &DataFrame, delimiter: Delimiter) -> Vec<u8> {
    let columns = Cells::of_frame(table).unwrap();
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter.byte()).from_writer(Vec::new());
    writer.write_record(columns.iter().map(Cells::name)).unwrap();
    for row in 0..table.height() {
        writer.write_record(columns.iter().map(|column| column.value(row).machine_text())).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn csv_has_the_bytes_of_the_usual_crate() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    let mut whole = table();
    let texts = [Some("=1+1"), Some("\"a\"\r\n"), None];
    whole.with_column(Column::new("formula, \"quoted\"".into(), texts)).unwrap();
    // Types that no column of the packet table has.
    whole.with_column(Column::new("signed".into(), [Some(-1_i64), Some(i64::MIN), None])).unwrap();
    whole.with_column(Column::new("float".into(), [Some(0.1_f64), Some(-1e300), None])).unwrap();
    let alone = whole.select(["sendkey"]).unwrap();
    for delimiter in [',', ';', '\t', ':', '|', ' ', '[', '+'] {
        let delimiter = Delimiter::new(delimiter).unwrap();
        for table in [&whole, &alone, &whole.clear(), &whole.slice(1, 2)] {
            write(table, &path, TableForm::Csv, delimiter, Force::NotGiven).unwrap();
            let (expected, found) = (by_the_crate(table, delimiter), fs::read(&path).unwrap());
            assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(&expected));
        }
    }
}

#[test]
fn parts_come_in_their_order_and_a_failure_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let height = 300_000;
    let columns = DataFrame::new(0, vec![Column::new("packetid".into(), Vec::<u64>::new())]).unwrap();
    let made = |rows: Range<usize>| {
        // Every other packet, so that parts are shorter than what is asked for.
        let ids: Vec<u64> = rows.filter(|row| row % 2 == 0).map(|row| row as u64).collect();
        DataFrame::new(ids.len(), vec![Column::new("packetid".into(), ids)])
    };
    let of = |rows: Range<usize>| Ok(made(rows).unwrap());
    let fails = |rows: Range<usize>| match rows.contains(&290_000) {
        true => Err(Error::NothingLoaded),
        false => Ok(made(rows).unwrap()),
    };
    let expected: Vec<u64> = (0..height as u64).step_by(2).collect();
    for (form, name) in [(TableForm::Csv, "t.csv"), (TableForm::Parquet, "t.parquet"), (TableForm::Arrow, "t.arrow")] {
        let path = directory.path().join(name);
        let parts = |of| Parts { columns: columns.clone(), height, of, prepare: &|| {} };
        let failed = write_parts(parts(&fails), &path, form, Delimiter::COMMA, Force::NotGiven);
        assert!(matches!(failed, Err(Error::NothingLoaded)));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{form:?}");
        let rows = write_parts(parts(&of), &path, form, Delimiter::COMMA, Force::NotGiven).unwrap();
        assert_eq!(rows, height / 2);
        let file = fs::File::open(&path).unwrap();
        let read = match form {
            TableForm::Parquet => ParquetReader::new(file).finish().unwrap(),
            TableForm::Arrow => IpcReader::new(file).finish().unwrap(),
            TableForm::Csv => {
                let text = fs::read_to_string(&path).unwrap();
                let ids: Vec<u64> = text.lines().skip(1).map(|line| line.parse().unwrap()).collect();
                DataFrame::new(ids.len(), vec![Column::new("packetid".into(), ids)]).unwrap()
            }
        };
        let ids: Vec<u64> = read.column("packetid").unwrap().u64().unwrap().iter().flatten().collect();
        assert_eq!(ids, expected, "{form:?}");
        fs::remove_file(path).unwrap();
    }
}

/// Columns that are encoded by the differences of their rows, and those that have no dictionary.
#[test]
fn parquet_has_numbers_that_wrap_and_numbers_that_are_missing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.parquet");
    for height in [0_u64, 1, 2, 255, 256, 257, 258, 1_000] {
        let wrapping = |begin: u64| (0..height).map(move |row| begin.wrapping_add(row * 1_400));
        // Across the end of all numbers, across that of signed ones, and back again at every seventh row.
        let last = wrapping(u64::MAX - 200_000).map(Some);
        let signed = wrapping((1 << 63) - 200_000).enumerate().map(|(row, number)| (row % 7 != 3).then_some(number));
        let far = (0..height).map(|row| Some(if row % 7 == 0 { u64::MAX } else { row }));
        let times: Vec<_> = (0..height).map(|row| if row % 5 == 0 { i64::MIN } else { i64::MAX }).collect();
        // Truncated on purpose.
        let short = wrapping(60_000).map(|number| Some(number as u16));
        let table = DataFrame::new(
            usize::try_from(height).unwrap(),
            vec![
                UInt64Chunked::from_iter_options("dsnraw64".into(), last).into_column(),
                UInt64Chunked::from_iter_options("dsn".into(), signed).into_column(),
                UInt64Chunked::from_iter_options("packetid".into(), far.clone()).into_column(),
                UInt64Chunked::from_iter_options("dack".into(), far).into_column(),
                UInt64Chunked::from_iter_options("related_mapping".into(), (0..height).map(|_| None)).into_column(),
                UInt16Chunked::from_iter_options("ipid".into(), short).into_column(),
                UInt32Chunked::from_iter_options("tcpseq".into(), (0..height).map(|_| None)).into_column(),
                Column::new("abstime".into(), times).cast(&ColumnType::Instant.data_type()).unwrap(),
            ],
        )
        .unwrap();
        write(&table, &path, TableForm::Parquet, Delimiter::COMMA, Force::Given).unwrap();
        let read = ParquetReader::new(fs::File::open(&path).unwrap()).finish().unwrap();
        assert_eq!(read.schema(), table.schema());
        assert!(read.equals_missing(&table), "{height} rows: {read:?}");
    }
}

/// Lists of every shape, and texts and numbers of which few or many differ, over more rows than a row group has.
#[test]
fn parquet_has_lists_texts_and_numbers_of_every_shape() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.parquet");
    let lists = |inner: &Series, height: usize, shape: &dyn Fn(usize) -> Option<usize>| {
        let list = |row| shape(row).map(|items| inner.slice(i64::try_from(row % 200).unwrap(), items));
        let lists: ListChunked = (0..height).map(list).collect();
        lists.into_series().cast(&DataType::List(Box::new(inner.dtype().clone()))).unwrap()
    };
    let bytes = Series::new("".into(), (0..=u8::MAX).collect::<Vec<_>>());
    let constant = Series::new("".into(), vec![2_u8; 256]);
    let words = Series::new("".into(), (0..256).map(|number| u32::MAX - number * 7).collect::<Vec<_>>());
    let long = Series::new("".into(), (0..256).map(|number| u64::MAX - number).collect::<Vec<_>>());
    for height in [0, 1, 2, 7, 8, 9, 300, 70_000] {
        let text = |name: &str, cell: &dyn Fn(usize) -> Option<String>| {
            StringChunked::from_iter_options(name.into(), (0..height).map(cell)).into_column()
        };
        let column = |name: &str, lists: Series| lists.with_name(name.into()).into_column();
        let number = |name: &str, cell: &dyn Fn(usize) -> Option<usize>| {
            let cells = (0..height).map(|row| cell(row).map(|cell| cell as u64));
            UInt64Chunked::from_iter_options(name.into(), cells).into_column()
        };
        let table = DataFrame::new(
            height,
            vec![
                column("tcpoptions", lists(&bytes, height, &|row| (row % 11 > 0).then_some(row % 11))),
                column("subtype", lists(&constant, height, &|row| (row % 100 > 50).then_some(1))),
                column("rmaddr_ids", lists(&bytes, height, &|row| (row > 4).then_some(0))),
                column("sack", lists(&words, height, &|row| Some(row % 5))),
                column("reinjection_of", lists(&long, height, &|row| (row % 7_000 == 6).then_some(50))),
                column("reinjected_in", lists(&long, height, &|_| None)),
                text("ipsrc", &|row| {
                    Some(["10.0.1.1", "2001:db8:ffff::1234:5678", "", "10.0.1.2"][row % 9 % 4].into())
                }),
                text("ipdst", &|row| (row % 3 > 0).then(|| format!("10.0.{}.1", row % 100))),
                text("sendhmac", &|row| (row % 2 > 0).then(|| format!("0x{row:040x}"))),
                text("addaddr_ip", &|_| None),
                text("hashed", &|row| Some(format!("{:03}", row % 257))),
                number("ttl", &|row| Some(row % 256)).cast(&DataType::UInt8).unwrap(),
                number("tcpflags", &|row| (row % 5 > 0).then_some(40_000 + row % 257)).cast(&DataType::UInt16).unwrap(),
                number("tcpmss", &|row| Some(row % 256 * 257)).cast(&DataType::UInt16).unwrap(),
                number("tcplen", &|row| (row % 3 > 0).then_some(row % 255 * 250)).cast(&DataType::UInt32).unwrap(),
                number("tcpstream", &|row| Some(row / 5_000)).cast(&DataType::UInt32).unwrap(),
                number("dss_length", &|row| (row == 3).then_some(65_535)).cast(&DataType::UInt32).unwrap(),
            ],
        )
        .unwrap();
        write(&table, &path, TableForm::Parquet, Delimiter::COMMA, Force::Given).unwrap();
        let read = ParquetReader::new(fs::File::open(&path).unwrap()).finish().unwrap();
        assert_eq!(read.schema(), table.schema());
        assert!(read.equals_missing(&table), "{height} rows: {read:?}");
    }
}

#[test]
fn any_delimiter_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    for delimiter in ";\t| ,".chars() {
        write(&table(), &path, TableForm::Csv, Delimiter::new(delimiter).unwrap(), Force::NotGiven).unwrap();
        assert!(columns(&path).unwrap().equals_missing(&raw_columns(&table())), "{delimiter}");
    }
}

#[test]
fn csv_says_what_people_see() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    let chosen = table().select(["packetid", "abstime", "reltime", "sendkey", "recvtok", "subtype", "backup"]).unwrap();
    write(&chosen, &path, TableForm::Csv, Delimiter::COMMA, Force::NotGiven).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "packetid,abstime,reltime,sendkey,recvtok,subtype,backup\n\
         1,2262-04-11T23:47:16.854775807Z,9223372036.854775807,0xffffffffffffffff,0xffffffff,0;255,true\n\
         3,1969-12-31T23:59:59.999999999Z,-0.000000001,0x8000000000000001,0x00000000,[],false\n\
         18446744073709551615,,,,,,\n"
    );
    assert_eq!(reason(&path), "it has no column `interface`; export it again without `--columns`");
}

#[test]
fn a_selection_of_rows_loads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    for rows in [0, 1] {
        write(&table().head(Some(rows)), &path, TableForm::Csv, Delimiter::COMMA, Force::NotGiven).unwrap();
        assert_eq!(columns(&path).unwrap().height(), rows);
    }
}

/// A capture that was out of order is exported in the order of time.
#[test]
fn rows_come_back_in_the_order_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    let ids = |table: &DataFrame| {
        write(table, &path, TableForm::Csv, Delimiter::COMMA, Force::Given).unwrap();
        let table = columns(&path).unwrap();
        table.column("packetid").unwrap().u64().unwrap().iter().collect::<Vec<_>>()
    };
    assert_eq!(ids(&table().reverse()), ids(&table()));
}

#[test]
fn foreign_tables_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    let mut less = table();
    less.drop_in_place("sport").unwrap();
    write(&less, &path, TableForm::Csv, Delimiter::COMMA, Force::NotGiven).unwrap();
    assert_eq!(reason(&path), "it has no column `sport`; export it again without `--columns`");
    write(&table().vstack(&table().head(Some(1))).unwrap(), &path, TableForm::Csv, Delimiter::COMMA, Force::Given)
        .unwrap();
    assert!(reason(&path).contains("a `packetid` occurs twice"));
    for form in [TableForm::Parquet, TableForm::Arrow] {
        write(&table(), &path, form, Delimiter::COMMA, Force::Given).unwrap();
        assert!(recognise(&path) && reason(&path).starts_with("Parquet and Arrow files are for other programs"));
    }
}

#[test]
fn csv_values_that_do_not_fit_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    write(&table(), &path, TableForm::Csv, Delimiter::COMMA, Force::NotGiven).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("9223372036.854775807", "soon\u{1b}", 1)).unwrap();
    assert_eq!(reason(&path), "`soon\\u{1b}` in column `reltime`, line 2, is not a duration[ns]");
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    assert!(reason(&path).ends_with("it may be cut short"), "{}", reason(&path));
    for (content, expected) in [
        ("", "its first line does not name columns"),
        ("hello", "its first line does not name columns"),
        ("hello, world\n", "it has no column `packetid`; export it again without `--columns`"),
        ("packetid,packetid\n", "it has two columns `packetid`"),
        ("\u{0}\u{1}\u{2}\n", "its first line does not name columns"),
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(reason(&path), expected, "{content:?}");
        assert_eq!(recognise(&path), content.starts_with("packetid"), "{content:?}");
    }
    assert!(!recognise(directory.path()) && !recognise(&directory.path().join("none")));
    fs::write(&path, b"packetid,\xff\xfe\n").unwrap();
    assert!(reason(&path).starts_with("it is not UTF-8 text"), "{}", reason(&path));
}

#[test]
fn writing_replaces_whole_files_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.csv");
    fs::write(&path, "old").unwrap();
    let link = directory.path().join("link.csv");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&path, &link).unwrap();
    write(&table(), &link, TableForm::Csv, Delimiter::COMMA, Force::NotGiven).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&path).unwrap().starts_with("packetid,"));
    let error =
        write(&table(), directory.path(), TableForm::Csv, Delimiter::COMMA, Force::NotGiven).unwrap_err().to_string();
    assert!(error.ends_with("it is a directory; name a file in it"), "{error}");
    let error =
        write(&table(), &directory.path().join("no/such/t.csv"), TableForm::Csv, Delimiter::COMMA, Force::NotGiven)
            .unwrap_err()
            .to_string();
    assert!(
        error.starts_with("cannot write ")
            && error.ends_with("/no/such does not exist; create it first, or name a file elsewhere"),
        "{error}"
    );
    // A device is written to, not replaced, and what it answers is told.
    if Path::new("/dev/full").exists() {
        for form in [TableForm::Csv, TableForm::Parquet, TableForm::Arrow] {
            let error = write(&table(), Path::new("/dev/full"), form, Delimiter::COMMA, Force::NotGiven)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("cannot write /dev/full: No space left"), "{form:?} {error}");
        }
    }
}

#[test]
fn endings_choose_the_form() {
    for (name, form) in [
        ("a.CSV", Some(TableForm::Csv)),
        ("b.parquet", Some(TableForm::Parquet)),
        ("c.feather", Some(TableForm::Arrow)),
        ("d.ipc", Some(TableForm::Arrow)),
        ("e.arrow", Some(TableForm::Arrow)),
        ("f.txt", None),
        ("csv", None),
    ] {
        assert_eq!(TableForm::of_name(Path::new(name)), form, "{name}");
    }
    assert!(schema::COLUMNS.iter().any(|spec| spec.origin == Origin::Tracking), "the round trip drops some");
}
