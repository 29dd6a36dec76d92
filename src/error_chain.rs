//! An error and the errors that caused it, as text. Pure.
//!
//! Libraries put the cause of an error into its `source`, and their own message often says little.
//! Messages for people therefore show the causes too.

use std::error::Error;
use std::io;
use std::iter::successors;

/// An error with its causes, on one line. A cause whose text an outer error already contains is left out.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    causes(error).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// The text of the innermost cause, which is what the system or the peer reported.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

/// The first cause of type `T` for which `is_wanted` holds. It also looks inside I/O errors.
pub(crate) fn cause_of_type<'e, T: Error + 'static>(
    error: &'e (dyn Error + 'static),
    is_wanted: impl Fn(&T) -> bool,
) -> Option<&'e T> {
    successors(error.source(), |cause| carried(*cause))
        .filter_map(|cause| cause.downcast_ref())
        .find(|found| is_wanted(found))
}

/// The next inner error. `source` of an I/O error skips the error that it wraps and gives that error's
/// source. Connectors also wrap one I/O error in another.
fn carried<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    successors(error.source(), |cause: &&'e (dyn Error + 'static)| (*cause).source())
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<dyn Error + Send + Sync>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    fn layer(words: &'static str, cause: impl Error + Send + Sync + 'static) -> Layer {
        Layer(words, Some(Box::new(cause)))
    }

    #[test]
    fn each_cause_is_said_once() {
        let error = layer("cannot ask: refused", layer("refused", Layer("no route", None)));
        assert_eq!(with_causes(&error), "cannot ask: refused: no route");
        assert_eq!(innermost(&error), "no route");
        assert_eq!(with_causes(&Layer("alone", None)), "alone");
        assert_eq!(innermost(&Layer("alone", None)), "alone");
    }

    #[test]
    fn a_cause_inside_of_two_io_errors_is_found() {
        let hidden = io::Error::other(io::Error::other(Layer("deep", None)));
        let error = layer("outer", hidden);
        let found = cause_of_type(&error, |layer: &Layer| layer.0 == "deep");
        assert_eq!(found.map(|layer| layer.0), Some("deep"));
        assert!(cause_of_type(&error, |layer: &Layer| layer.0 == "other").is_none());
    }
}
