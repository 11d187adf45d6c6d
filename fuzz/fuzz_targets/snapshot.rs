//! Any bytes as rows, as a manifest, as an export's metadata: an error, or something that agrees with
//! itself. The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use versioning_core::snapshot::chunker::{Chunker, PIECE_MAX};
use versioning_core::snapshot::export::Metadata;
use versioning_core::snapshot::manifest::Manifest;
use versioning_core::snapshot::row::{RowReader, RowWriter, count_rows};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    match choice % 4 {
        0 => rows(bytes),
        1 => manifest(bytes),
        2 => {
            if let Ok((metadata, manifest)) = Metadata::from_bytes(bytes) {
                assert_eq!(metadata.to_text().unwrap().as_bytes(), bytes);
                assert_eq!(metadata.files.len(), manifest.tables.len());
            }
        }
        _ => chunks(bytes),
    }
});

fn rows(bytes: &[u8]) {
    let Some((fields, bytes)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    // Mostly few, so that rows come up.
    let fields = usize::from(u16::from_be_bytes(*fields));
    for fields in [fields, fields % 4] {
        let mut again = Vec::new();
        let mut count = 0;
        let mut is_bad = false;
        for row in RowReader::new(bytes, fields) {
            let Ok(row) = row else {
                is_bad = true;
                break;
            };
            assert_eq!(row.fields.len(), fields);
            let mut writer = RowWriter::begin(&mut again, fields as u16);
            for field in row.fields {
                match field {
                    Some(value) => writer.value(value).unwrap(),
                    None => writer.null(),
                }
            }
            count += 1;
        }
        assert_eq!(count_rows(bytes, fields), (!is_bad).then_some(count));
        assert!(bytes.starts_with(&again) && (is_bad || again == bytes));
    }
}

fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(manifest) = Manifest::from_text(text) {
        assert_eq!(Manifest::from_text(&manifest.to_text().unwrap()), Ok(manifest.clone()));
        for table in &manifest.tables {
            let mut sum = 0;
            for group in table.chunk_groups() {
                assert!(group.iter().all(|piece| piece.bytes <= PIECE_MAX as u64));
                sum += group.iter().map(|piece| piece.rows).sum::<u64>();
            }
            assert_eq!(sum, table.rows);
        }
    }
}

fn chunks(bytes: &[u8]) {
    let mut chunker = Chunker::default();
    let mut all = Vec::new();
    for row in bytes.split(|byte| *byte == 0) {
        // Long enough for chunks to end.
        for _ in 0..64 {
            chunker.buffer().extend_from_slice(row);
        }
        if chunker.end_row() {
            all.extend_from_slice(chunker.take().bytes());
        }
    }
    all.extend_from_slice(chunker.take().bytes());
    let expected: Vec<u8> = bytes.split(|byte| *byte == 0).flat_map(|row| row.repeat(64)).collect();
    assert_eq!(all, expected);
}
