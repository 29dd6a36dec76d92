//! Lines of pages that are written from tables of the program. Pure.

/// How many characters a line of a page may have.
const WIDTH: usize = 120;

/// The page with lines of at most 120 characters. Tables, blocks of code, spans of code and words stay whole.
pub(crate) fn wrapped(page: &str) -> String {
    let mut result = String::with_capacity(page.len());
    let mut is_code = false;
    for line in page.lines() {
        is_code ^= line.starts_with("```");
        if is_code || line.starts_with('|') || line.chars().count() <= WIDTH {
            result.push_str(line);
        } else {
            wrap(line, &mut result);
        }
        result.push('\n');
    }
    result
}

fn wrap(line: &str, result: &mut String) {
    let indent = match line.as_bytes().first() {
        Some(b'-') => 2,
        Some(b'0'..=b'9') => 3,
        _ => 0,
    };
    let mut width = 0;
    for word in words(line) {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH && !begins_a_block(word) {
            result.push('\n');
            result.push_str(&" ".repeat(indent));
            width = indent;
        } else if width > 0 {
            result.push(' ');
            width += 1;
        }
        result.push_str(word);
        width += length;
    }
}

/// The parts between spaces; a span of code is one part.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    line.split(move |character| {
        is_code ^= character == '`';
        character == ' ' && !is_code
    })
}

/// Whether Markdown would take a line that begins so for a list or a heading.
fn begins_a_block(word: &str) -> bool {
    let number =
        word.strip_suffix('.').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    matches!(word, "-" | "+" | "*") || word.starts_with('#') || number
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn a_long_line_is_wrapped_below_its_text_and_loses_no_word() {
        let words = ["word"; 60].join(" ");
        for (mark, indent) in [("", ""), ("- ", "  "), ("1. ", "   ")] {
            let page = wrapped(&format!("{mark}{words}\n"));
            let lines: Vec<&str> = page.lines().collect();
            assert_eq!(lines.len(), 3, "{page}");
            assert!(lines.iter().all(|line| line.chars().count() <= 120), "{page}");
            assert!(
                lines[1..].iter().all(|line| line.starts_with(&format!("{indent}word"))),
                "{page}"
            );
            assert_eq!(page.matches("word").count(), 60);
        }
    }

    #[test]
    fn tables_and_code_stay_whole_and_no_line_begins_a_list() {
        let long = "`a b` ".repeat(40);
        for page in [format!("| {long}|\n"), format!("```\n{long}\n```\n")] {
            assert_eq!(wrapped(&page), page);
        }
        for line in wrapped(&format!("{long}\n")).lines() {
            assert_eq!(line.matches('`').count() % 2, 0, "{line}");
        }
        let dashes = "word - ".repeat(40);
        assert!(wrapped(&dashes).lines().skip(1).all(|line| line.starts_with("word")));
    }
}
