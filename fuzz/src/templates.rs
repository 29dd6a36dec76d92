//! Values of variables: text with holes never grows beyond its limit, and its faults have a place.

use cdsw_gateway::expression::Template;

use super::expressions::{context, names, placed};
use super::text_line;

/// The most bytes of a value here.
const MOST: usize = 4096;

/// The text on the first line, then a JSON body.
pub fn run(data: &[u8]) {
    let (source, body) = text_line(data);
    match Template::compile(&source, &names()) {
        Err(faults) => placed(&faults, &source),
        Ok(template) => match template.render(&context(body), MOST) {
            Ok(text) => assert!(text.len() <= MOST),
            Err(fault) => assert!(fault.offset <= source.len()),
        },
    }
}
