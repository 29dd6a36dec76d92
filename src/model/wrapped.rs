//! Words on as many lines as they need. Pure.

use unicode_width::UnicodeWidthStr as _;

/// Words that begin after `before` cells of a line and fit this many columns. Later lines begin after `indent` cells. A
/// word that fits no line stands on a line of its own.
pub fn wrapped(text: &str, before: usize, indent: usize, columns: usize) -> String {
    let mut written = String::with_capacity(text.len());
    let mut at = before;
    for (place, word) in text.split(' ').enumerate() {
        let cells = word.width();
        if place > 0 && at + 1 + cells > columns && at > indent {
            written.push('\n');
            written.push_str(&" ".repeat(indent));
            at = indent;
        } else if place > 0 {
            written.push(' ');
            at += 1;
        }
        written.push_str(word);
        at += cells;
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fit_the_columns_and_later_lines_are_indented() {
        let text = "one two three four five six, and averyverylongwordthatfitsnoline end";
        let written = format!("error: {}", wrapped(text, 7, 4, 20));
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[0], "error: one two three");
        assert!(lines[1..].iter().all(|line| line.starts_with("    ")), "{written}");
        let long = |line: &&&str| line.chars().count() > 20;
        assert_eq!(
            lines.iter().filter(long).count(),
            1,
            "only a word that fits no line: {written}"
        );
        assert_eq!(written.split_whitespace().skip(1).collect::<Vec<_>>().join(" "), text);
        assert_eq!(wrapped(text, 7, 4, usize::MAX), text);
    }
}
