//! The functions that read what is written within a text: base64, percent-encoding and JSON.

use std::fmt::Write;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Call;
use crate::expression::fault::EvaluationFault;
use crate::model::Value;

type Outcome = Result<Value, EvaluationFault>;

/// Padding may be there or not: RFC 4648 lets a sender leave it out.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// What reading JSON costs beside a plain look at the text: the table of what stands where takes up to five
/// times the text, and more once the parts are read.
const JSON_COST: usize = 4;

impl Call<'_> {
    /// Text from base64 (RFC 4648), of either alphabet, with or without padding and line ends.
    pub(super) fn base64_decode(&mut self) -> Outcome {
        let text = self.text(0)?;
        self.meter.build(text.len())?;
        let plain = |byte: u8| match byte {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            byte if byte.is_ascii_whitespace() => None,
            byte => Some(byte),
        };
        let letters: Vec<u8> = text.bytes().filter_map(plain).collect();
        let bytes = STANDARD.decode(letters).map_err(|_| self.bad_value("this is not base64"))?;
        self.utf8(bytes)
    }

    /// Base64 (RFC 4648) of the text's UTF-8, with padding.
    pub(super) fn base64_encode(&mut self) -> Outcome {
        let text = self.text(0)?;
        self.meter.build(text.len().div_ceil(3) * 4)?;
        Ok(Value::from(STANDARD.encode(text)))
    }

    /// Replaces each `%` with two digits by the byte that they stand for (RFC 3986, 2.1). A `%` without two
    /// digits stays.
    pub(super) fn percent_decode(&mut self) -> Outcome {
        let text = self.text(0)?;
        self.meter.build(text.len())?;
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let digits = after.get(..2).filter(|_| *first == b'%');
            let byte = digits
                .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { &after[2..] } else { after };
        }
        self.utf8(bytes)
    }

    /// Writes all but letters, digits and `-._~` as `%` and two digits, so that the text can be a part of an
    /// address (RFC 3986, 2.3).
    pub(super) fn percent_encode(&mut self) -> Outcome {
        let text = self.text(0)?;
        self.meter.build(text.len().saturating_mul(3))?;
        let mut written = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'-' | b'.' | b'_' | b'~' => written.push(char::from(byte)),
                byte if byte.is_ascii_alphanumeric() => written.push(char::from(byte)),
                byte => {
                    let _ = write!(written, "%{byte:02X}");
                }
            }
        }
        Ok(Value::from(written))
    }

    /// The value that a text writes as JSON (RFC 8259).
    pub(super) fn json(&mut self) -> Outcome {
        let text = self.text(0)?;
        self.meter.build(text.len().saturating_mul(JSON_COST))?;
        self.meter.work((text.len() / 8) as u64)?;
        Value::parse_json(text.as_bytes()).map_err(|fault| {
            let (line, column) = (fault.line, fault.column);
            self.bad_value(&format!("this text is not JSON (line {line}, column {column})"))
        })
    }

    fn utf8(&self, bytes: Vec<u8>) -> Outcome {
        let text = String::from_utf8(bytes);
        text.map(Value::from).map_err(|_| self.bad_value("what it stands for is not UTF-8 text"))
    }
}
