//! Values of a snapshot that may not fit where they are wanted now: one that doesn't is told, and is no error.

use pgrx::pg_sys;
use versioning_core::snapshot::manifest::{Column, Encoding};

use crate::error::{Error, Result};
use crate::pg::field::{FieldDecoder, Value};
use crate::pg::subtransaction::in_subtransaction;
use crate::snapshot::decoding::{Target, decoder};

/// Reads the values of a column as another.
pub struct FittingDecoder {
    decoder: FieldDecoder,
    kind: pg_sys::Oid,
    /// Whether a value may not fit: it is converted, or its type may have changed under its name.
    is_risky: bool,
    is_text: bool,
}

/// A value, NULL in place of one that doesn't fit.
pub struct Fitting {
    /// The value.
    pub value: Value,
    /// Why it doesn't fit.
    pub misfit: Option<Error>,
}

impl FittingDecoder {
    /// From a column of a snapshot to a target.
    ///
    /// # Errors
    /// 55000 when the type that values were written in isn't there any more.
    pub fn new(column: &Column, target: &Target) -> Result<Self> {
        let is_own = target.kind.oid.to_u32() >= pg_sys::FirstNormalObjectId;
        let is_text = column.encoding == Encoding::Text;
        Ok(Self {
            decoder: decoder(column, target)?,
            kind: target.kind.oid,
            is_risky: is_own || is_text || column.type_name != target.type_name,
            is_text,
        })
    }

    /// Reads a value. What it allocates is in the current memory context.
    ///
    /// # Errors
    /// What a type raises for another reason than the value.
    pub fn read(&mut self, bytes: Option<&[u8]>) -> Result<Fitting> {
        if !self.is_risky {
            let value = self.decoder.decode(bytes)?;
            return Ok(Fitting {
                value,
                misfit: None,
            });
        }
        let is_no_text = |bytes: &[u8]| bytes.contains(&0) || std::str::from_utf8(bytes).is_err();
        if self.is_text && bytes.is_some_and(is_no_text) {
            return Ok(self.misfit(Error::invalid_text("the value is no text")));
        }
        match in_subtransaction(|| self.decoder.decode(bytes)) {
            Ok(value) => Ok(Fitting {
                value,
                misfit: None,
            }),
            Err(error) if error.is_refusal() => Ok(self.misfit(error)),
            Err(error) => Err(error),
        }
    }

    fn misfit(&self, error: Error) -> Fitting {
        Fitting {
            value: Value::null(self.kind),
            misfit: Some(error),
        }
    }
}
