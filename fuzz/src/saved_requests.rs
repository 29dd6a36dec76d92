//! Saved requests, as `explain` reads them: whatever a file is taken for, a body's bytes stay as they
//! are, since a signature covers them.

use cdsw_gateway::cli::saved_body;

use super::text_line;

/// The number of a HAR file's entry on the first line, or nothing; then the file.
pub fn run(data: &[u8]) {
    let (entry, file) = text_line(data);
    let entry: Option<usize> = entry.trim().parse().ok();
    let read = || saved_body(file.to_vec(), entry);
    let body = read();
    assert_eq!(body, read(), "the same file is read the same way");
    match body {
        Ok(body) => {
            let is_har = serde_json::from_slice::<serde_json::Value>(without_mark(file)).is_ok();
            // Nothing but the end of a line that an editor added may be left out behind it.
            let ends = [&b""[..], b"\n", b"\r\n"];
            let is_there = ends
                .iter()
                .any(|end| file.strip_suffix(*end).is_some_and(|file| file.ends_with(&body)));
            assert!(is_har || is_there, "the body's bytes were changed");
        }
        Err(why) => assert!(!why.is_empty()),
    }
}

fn without_mark(file: &[u8]) -> &[u8] {
    file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file)
}
