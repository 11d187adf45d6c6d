//! Stored values of type `jsonb`, written as text just as the type's output function writes them.

use super::numeric;

const COUNT: u32 = 0x0fff_ffff;
const IS_SCALAR: u32 = 0x1000_0000;
const IS_OBJECT: u32 = 0x2000_0000;
const IS_ARRAY: u32 = 0x4000_0000;

const LENGTH: u32 = 0x0fff_ffff;
const KIND: u32 = 0x7000_0000;
const HAS_END: u32 = 0x8000_0000;
const STRING: u32 = 0x0000_0000;
const NUMERIC: u32 = 0x1000_0000;
const FALSE: u32 = 0x2000_0000;
const TRUE: u32 = 0x3000_0000;
const NULL: u32 = 0x4000_0000;
const CONTAINER: u32 = 0x5000_0000;

/// How deep values may be nested here; deeper ones are left to PostgreSQL, which watches its stack.
const DEPTH: usize = 64;

/// Appends the text of a value, given the bytes behind its header. `None` when it is one that this file
/// leaves to PostgreSQL; then `out` may have got a part of it.
pub fn write(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    container(bytes, out, DEPTH)
}

fn word(bytes: &[u8], index: usize) -> Option<u32> {
    let bytes = bytes.get(index.checked_mul(4)?..)?.first_chunk::<4>()?;
    Some(u32::from_ne_bytes(*bytes))
}

/// The entries of a container in the order in which they are stored.
struct Entries<'a> {
    bytes: &'a [u8],
    data: &'a [u8],
    next: usize,
    end: usize,
}

/// A value: its kind, where its bytes begin behind the entries, and its bytes.
struct Entry<'a> {
    kind: u32,
    start: usize,
    bytes: &'a [u8],
}

impl<'a> Entries<'a> {
    fn next(&mut self) -> Option<Entry<'a>> {
        let head = word(self.bytes, self.next + 1)?;
        let start = self.end;
        let length = (head & LENGTH) as usize;
        self.end = if head & HAS_END == 0 {
            start.checked_add(length)?
        } else {
            length
        };
        self.next += 1;
        Some(Entry {
            kind: head & KIND,
            start,
            bytes: self.data.get(start..self.end)?,
        })
    }
}

fn container(bytes: &[u8], out: &mut Vec<u8>, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let head = word(bytes, 0)?;
    let count = (head & COUNT) as usize;
    let entries = |entries: usize| {
        let data = bytes.get(entries.checked_add(1)?.checked_mul(4)?..)?;
        Some(Entries {
            bytes,
            data,
            next: 0,
            end: 0,
        })
    };
    if head & IS_OBJECT != 0 {
        let pairs = count.checked_mul(2)?;
        // All keys come first, then all values: two walks, the second starting behind the keys.
        let (mut keys, mut values) = (entries(pairs)?, entries(pairs)?);
        for _ in 0..count {
            values.next()?;
        }
        out.push(b'{');
        for index in 0..count {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            string(keys.next()?.bytes, out);
            out.extend_from_slice(b": ");
            value(&values.next()?, out, depth)?;
        }
        out.push(b'}');
        return Some(());
    }
    if head & IS_ARRAY == 0 {
        return None;
    }
    let mut elements = entries(count)?;
    if head & IS_SCALAR != 0 {
        return value(&elements.next()?, out, depth);
    }
    out.push(b'[');
    for index in 0..count {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        value(&elements.next()?, out, depth)?;
    }
    out.push(b']');
    Some(())
}

fn value(entry: &Entry<'_>, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    // Numbers and containers start at a multiple of four.
    let aligned = || {
        entry
            .bytes
            .get(entry.start.next_multiple_of(4) - entry.start..)
    };
    match entry.kind {
        STRING => string(entry.bytes, out),
        NUMERIC => {
            let bytes = aligned()?;
            // A number has a header of its own, with four bytes; its two lowest bits are 0 on this order
            // of bytes.
            let head = word(bytes, 0)?;
            if cfg!(target_endian = "big") || head & 3 != 0 || head as usize >> 2 != bytes.len() {
                return None;
            }
            numeric::Stored::read(bytes.get(4..)?)?.write(out);
        }
        FALSE => out.extend_from_slice(b"false"),
        TRUE => out.extend_from_slice(b"true"),
        NULL => out.extend_from_slice(b"null"),
        CONTAINER => return container(aligned()?, out, depth),
        _ => return None,
    }
    Some(())
}

fn string(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = bytes;
    // Mostly there is nothing to escape: whole runs are copied.
    while let Some(place) = rest
        .iter()
        .position(|byte| *byte < b' ' || *byte == b'"' || *byte == b'\\')
    {
        let (plain, special) = rest.split_at(place);
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else {
            break;
        };
        match *byte {
            b'\x08' => out.extend_from_slice(b"\\b"),
            b'\x0c' => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
