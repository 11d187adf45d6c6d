//! One row as a COPY BINARY tuple: a 16-bit field count, then per field a 32-bit length (-1 for NULL)
//! and its bytes, all in network byte order.

/// Appends rows to a buffer.
#[derive(Debug)]
pub struct RowWriter<'a> {
    buffer: &'a mut Vec<u8>,
}

impl<'a> RowWriter<'a> {
    /// Starts a row of that many fields; as many must follow.
    pub fn begin(buffer: &'a mut Vec<u8>, fields: u16) -> Self {
        buffer.extend_from_slice(&fields.to_be_bytes());
        Self { buffer }
    }

    /// A NULL.
    pub fn null(&mut self) {
        self.buffer.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// A value.
    ///
    /// # Errors
    /// When it is longer than the format can say.
    pub fn value(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let length = i32::try_from(bytes.len()).map_err(|_| TooLong)?;
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// A value that `append` writes behind what is there, or leaves to others by answering false; then the
    /// row is as before and false is returned.
    ///
    /// # Errors
    /// When the value is longer than the format can say.
    pub fn value_with(
        &mut self,
        append: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> Result<bool, TooLong> {
        let head = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 4]);
        if !append(self.buffer) {
            self.buffer.truncate(head);
            return Ok(false);
        }
        let length = self.buffer.len().saturating_sub(head + 4);
        let length = i32::try_from(length).map_err(|_| TooLong)?;
        match self.buffer.get_mut(head..head + 4) {
            Some(place) => place.copy_from_slice(&length.to_be_bytes()),
            None => return Err(TooLong),
        }
        Ok(true)
    }
}

/// A value longer than the format can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value is longer than a snapshot can hold")]
pub struct TooLong;

/// Bytes that are no rows of the expected number of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {position} of the rows is not where a row or field can start")]
pub struct BadRow {
    /// How far the bytes made sense.
    pub position: usize,
}

/// One row of a [`RowReader`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// The row as it was written, field count included.
    pub bytes: &'a [u8],
    /// Its fields, `None` for NULL.
    pub fields: Vec<Option<&'a [u8]>>,
}

/// Reads rows back, whatever the bytes are.
#[derive(Debug)]
pub struct RowReader<'a> {
    bytes: &'a [u8],
    position: usize,
    fields: usize,
}

impl<'a> RowReader<'a> {
    /// Reads `bytes` as rows of `fields` fields each.
    pub fn new(bytes: &'a [u8], fields: usize) -> Self {
        Self {
            bytes,
            position: 0,
            fields,
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], BadRow> {
        let bad = BadRow {
            position: self.position,
        };
        let end = self.position.checked_add(count).ok_or(bad)?;
        let taken = self.bytes.get(self.position..end).ok_or(bad)?;
        self.position = end;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], BadRow> {
        let bad = BadRow {
            position: self.position,
        };
        self.take(N)?.try_into().map_err(|_| bad)
    }

    /// Reads one row, handing each of its fields to `field`, and returns its bytes.
    fn row(&mut self, mut field: impl FnMut(Option<&'a [u8]>)) -> Result<&'a [u8], BadRow> {
        let start = self.position;
        let bad = BadRow { position: start };
        let count = u16::from_be_bytes(self.number()?);
        if usize::from(count) != self.fields {
            return Err(bad);
        }
        for _ in 0..count {
            let bad = BadRow {
                position: self.position,
            };
            let length = i32::from_be_bytes(self.number()?);
            field(match length {
                -1 => None,
                _ => Some(self.take(usize::try_from(length).map_err(|_| bad)?)?),
            });
        }
        self.bytes.get(start..self.position).ok_or(bad)
    }

    /// Hands each field of the next row to `field`.
    ///
    /// # Errors
    /// When there is no row of that many fields.
    pub fn each_field(&mut self, field: impl FnMut(Option<&'a [u8]>)) -> Result<(), BadRow> {
        self.row(field).map(drop)
    }

    /// The next row's bytes, its fields put into `fields`; for loops in which each row having a list of its
    /// own would show.
    pub fn next_into(
        &mut self,
        fields: &mut Vec<Option<&'a [u8]>>,
    ) -> Option<Result<&'a [u8], BadRow>> {
        if self.position >= self.bytes.len() {
            return None;
        }
        fields.clear();
        let row = self.row(|field| fields.push(field));
        if row.is_err() {
            self.position = self.bytes.len();
        }
        Some(row)
    }
}

/// The bytes of each row, up to the first that is none.
pub fn rows(bytes: &[u8], fields: usize) -> impl Iterator<Item = &[u8]> {
    let mut reader = RowReader::new(bytes, fields);
    std::iter::from_fn(move || {
        if reader.position >= reader.bytes.len() {
            return None;
        }
        reader.row(|_| ()).ok()
    })
}

/// How many rows of that many fields the bytes are; `None` when they are no such rows.
pub fn count_rows(bytes: &[u8], fields: usize) -> Option<u64> {
    let mut reader = RowReader::new(bytes, fields);
    let mut count = 0;
    while reader.position < bytes.len() {
        reader.row(|_| ()).ok()?;
        count += 1;
    }
    Some(count)
}

impl<'a> Iterator for RowReader<'a> {
    type Item = Result<Row<'a>, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        // What is reserved is bounded by what is there to be read.
        let mut fields = Vec::with_capacity(self.fields.min(self.bytes.len() / 4));
        let bytes = self.next_into(&mut fields)?;
        Some(bytes.map(|bytes| Row { bytes, fields }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_written() {
        let mut bytes = Vec::new();
        let mut row = RowWriter::begin(&mut bytes, 3);
        row.value(b"one").unwrap();
        row.null();
        row.value(b"").unwrap();
        RowWriter::begin(&mut bytes, 3).null();
        bytes.truncate(bytes.len() - 6);
        let rows: Vec<_> = RowReader::new(&bytes, 3).collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            rows[0].fields,
            [Some(b"one".as_slice()), None, Some(b"".as_slice())]
        );
        assert_eq!(rows[0].bytes, bytes);
    }

    #[test]
    fn values_are_written_in_place_or_left_to_others() {
        let mut bytes = Vec::new();
        let mut row = RowWriter::begin(&mut bytes, 2);
        let append = |answer| {
            move |out: &mut Vec<u8>| {
                out.extend_from_slice(b"one");
                answer
            }
        };
        assert_eq!(row.value_with(append(false)), Ok(false));
        assert_eq!(row.value_with(append(true)), Ok(true));
        row.value(b"other").unwrap();
        let mut same = Vec::new();
        let mut row = RowWriter::begin(&mut same, 2);
        row.value(b"one").unwrap();
        row.value(b"other").unwrap();
        assert_eq!(bytes, same);
    }

    #[test]
    fn rows_without_fields_count_too() {
        let mut bytes = Vec::new();
        RowWriter::begin(&mut bytes, 0);
        RowWriter::begin(&mut bytes, 0);
        assert_eq!(RowReader::new(&bytes, 0).count(), 2);
    }

    #[test]
    fn refuses_wrong_counts_lengths_and_ends() {
        let refused = |bytes: &[u8]| RowReader::new(bytes, 1).any(|row| row.is_err());
        assert!(refused(&[0]));
        assert!(refused(&[0, 2]));
        assert!(refused(&[0, 1, 0xff, 0xff, 0xff, 0xfe]));
        assert!(refused(&[0, 1, 0x7f, 0xff, 0xff, 0xff, 1]));
        assert!(refused(&[0, 1, 0, 0, 0, 1]));
        assert!(!refused(&[0, 1, 0, 0, 0, 1, 9]));
    }

    #[test]
    fn any_bytes_end_in_rows_or_an_error() {
        let mut state = 1_u64;
        for length in 0..400 {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    // Few different values, so that small counts and lengths come up.
                    ((state >> 33) % 5) as u8
                })
                .collect();
            for fields in [0, 1, 2, 257] {
                let rows: Result<Vec<_>, _> = RowReader::new(&bytes, fields).collect();
                let count = rows.ok().map(|rows| rows.len() as u64);
                assert_eq!(count_rows(&bytes, fields), count);
                let whole: Vec<u8> = super::rows(&bytes, fields).flatten().copied().collect();
                assert_eq!(whole == bytes, count.is_some());
            }
        }
    }
}
