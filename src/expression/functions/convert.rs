//! The functions that convert a value into another kind.

use std::fmt::{self, Write};

use super::Call;
use crate::expression::fault::EvaluationFault;
use crate::expression::meter::Meter;
use crate::expression::operators::computable;
use crate::model::Value;

type Outcome = Result<Value, EvaluationFault>;

/// The smallest whole number that does not fit into 64 signed bits.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

impl Call<'_> {
    pub(super) fn int(&mut self) -> Outcome {
        let number = match self.argument(0) {
            Value::Int(number) => Some(*number),
            Value::UInt(_) => None,
            Value::Double(double) => whole_part(double.value()),
            Value::Text(_) => self.text(0)?.parse().ok(),
            other => return Err(self.unfit(other, "a number or text")),
        };
        let number = number.ok_or_else(|| self.bad_value("this is not a whole number of 64 bits"));
        number.map(Value::Int)
    }

    pub(super) fn uint(&mut self) -> Outcome {
        let number = match self.argument(0) {
            Value::Int(number) => u64::try_from(*number).ok(),
            Value::UInt(number) => Some(*number),
            Value::Double(double) => unsigned_part(double.value()),
            Value::Text(_) => self.text(0)?.parse().ok(),
            other => return Err(self.unfit(other, "a number or text")),
        };
        let number = number
            .ok_or_else(|| self.bad_value("this is not a whole number of 64 bits, zero or above"));
        number.map(Value::from)
    }

    pub(super) fn double(&mut self) -> Outcome {
        let number = match self.argument(0) {
            Value::Int(number) => *number as f64,
            Value::UInt(number) => *number as f64,
            double @ Value::Double(number) => {
                computable(number)?;
                return Ok(double.clone());
            }
            Value::Text(_) => {
                let parsed = self.text(0)?.parse();
                parsed.map_err(|_| self.bad_value("this text is not a number"))?
            }
            other => return Err(self.unfit(other, "a number or text")),
        };
        self.meter.work(8)?;
        Ok(Value::double(number))
    }

    pub(super) fn text_form(&mut self) -> Outcome {
        match self.argument(0) {
            text @ Value::Text(_) => Ok(text.clone()),
            Value::Null => Err(self.unfit(&Value::Null, "a value")),
            other => {
                let mut out = MeteredText::new(self.meter);
                let written = other.write_text(&mut out);
                out.finish(written).map(Value::from)
            }
        }
    }

    pub(super) fn bool(&mut self) -> Outcome {
        match self.argument(0) {
            Value::Bool(value) => Ok(Value::Bool(*value)),
            Value::Text(text) => match &**text {
                "true" | "True" | "TRUE" | "t" | "1" => Ok(Value::Bool(true)),
                "false" | "False" | "FALSE" | "f" | "0" => Ok(Value::Bool(false)),
                _ => Err(self.bad_value("this text is neither true nor false")),
            },
            other => Err(self.unfit(other, "a boolean or text")),
        }
    }
}

fn whole_part(number: f64) -> Option<i64> {
    let fits = number > -TWO_TO_63 && number < TWO_TO_63;
    fits.then_some(number as i64)
}

fn unsigned_part(number: f64) -> Option<u64> {
    let fits = number > -1.0 && number < 2.0 * TWO_TO_63;
    fits.then_some(number as u64)
}

/// Text that is charged for as it is written.
struct MeteredText<'m> {
    text: String,
    meter: &'m mut Meter,
    fault: Option<EvaluationFault>,
}

impl<'m> MeteredText<'m> {
    fn new(meter: &'m mut Meter) -> Self {
        Self { text: String::new(), meter, fault: None }
    }

    fn finish(self, written: fmt::Result) -> Result<String, EvaluationFault> {
        match (written, self.fault) {
            (Err(fmt::Error), Some(fault)) => Err(fault),
            _ => Ok(self.text),
        }
    }
}

impl Write for MeteredText<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        match self.meter.build(piece.len()) {
            Ok(()) => {
                self.text.push_str(piece);
                Ok(())
            }
            Err(fault) => {
                self.fault = Some(fault);
                Err(fmt::Error)
            }
        }
    }
}
