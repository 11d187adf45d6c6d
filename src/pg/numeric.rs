//! Stored values of type `numeric`, read where they lie: as `numeric_send` sends them and as
//! `numeric_out` writes them, without a function call or an allocation for each.

/// A finite number as it is stored: digits to the base 10,000.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    sign: u16,
    weight: i16,
    scale: u16,
    digits: &'a [u8],
}

const SIGN: u16 = 0xc000;
const NEGATIVE: u16 = 0x4000;
const SHORT: u16 = 0x8000;
const SPECIAL: u16 = 0xc000;
const SHORT_NEGATIVE: u16 = 0x2000;
const SHORT_SCALE: u16 = 0x1f80;
const SHORT_SCALE_SHIFT: u32 = 7;
const SHORT_WEIGHT: u16 = 0x003f;
const SHORT_WEIGHT_NEGATIVE: u16 = 0x0040;
const LONG_SCALE: u16 = 0x3fff;
/// Decimal digits in one digit to the base 10,000.
const DECIMALS: usize = 4;

impl<'a> Stored<'a> {
    /// Reads the bytes behind the value's header; `None` for NaN, the infinities and what isn't understood.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let head = u16::from_ne_bytes(*head);
        if head & SIGN == SPECIAL {
            return None;
        }
        if head & SHORT != 0 {
            let weight = (head & SHORT_WEIGHT) as i16;
            return Some(Self {
                sign: if head & SHORT_NEGATIVE == 0 {
                    0
                } else {
                    NEGATIVE
                },
                weight: if head & SHORT_WEIGHT_NEGATIVE == 0 {
                    weight
                } else {
                    weight | !(SHORT_WEIGHT as i16)
                },
                scale: (head & SHORT_SCALE) >> SHORT_SCALE_SHIFT,
                digits: rest,
            });
        }
        let (weight, digits) = rest.split_first_chunk::<2>()?;
        Some(Self {
            sign: head & SIGN,
            weight: i16::from_ne_bytes(*weight),
            scale: head & LONG_SCALE,
            digits,
        })
    }

    fn digits(self) -> impl Iterator<Item = u16> + use<'a> {
        self.digits
            .chunks_exact(2)
            .map(|digit| digit.try_into().map_or(0, u16::from_ne_bytes))
    }

    /// Appends what the type's send function returns.
    pub fn send(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&((self.digits.len() / 2) as u16).to_be_bytes());
        out.extend_from_slice(&self.weight.to_be_bytes());
        out.extend_from_slice(&self.sign.to_be_bytes());
        out.extend_from_slice(&self.scale.to_be_bytes());
        for digit in self.digits() {
            out.extend_from_slice(&digit.to_be_bytes());
        }
    }

    /// Appends the number as text.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.sign == NEGATIVE {
            out.push(b'-');
        }
        let mut digits = self.digits();
        if self.weight < 0 {
            out.push(b'0');
        }
        for place in 0..=self.weight {
            let decimals = decimals(digits.next().unwrap_or(0));
            let zeros = if place > 0 {
                0
            } else {
                leading_zeros(decimals)
            };
            out.extend_from_slice(decimals.get(zeros..).unwrap_or_default());
        }
        if self.scale == 0 {
            return;
        }
        out.push(b'.');
        let end = out.len() + usize::from(self.scale);
        // Digits whose weight is below -1 stand behind zeros that aren't stored.
        for _ in self.weight..-1 {
            out.extend_from_slice(b"0000");
        }
        while out.len() < end {
            out.extend_from_slice(&decimals(digits.next().unwrap_or(0)));
        }
        out.truncate(end);
    }
}

fn decimals(digit: u16) -> [u8; DECIMALS] {
    let decimal = |power: u16| b'0' + (digit / power % 10) as u8;
    [decimal(1000), decimal(100), decimal(10), decimal(1)]
}

/// How many zeros to leave out, the last digit excepted.
fn leading_zeros(decimals: [u8; DECIMALS]) -> usize {
    decimals
        .iter()
        .take(DECIMALS - 1)
        .take_while(|decimal| **decimal == b'0')
        .count()
}
