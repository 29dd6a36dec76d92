//! Numbers in sentences. Pure.

/// A number with its noun: `1 run`, `2 runs`. Thousands are set apart: `4,001 runs`.
pub fn counted(number: u64, noun: &str) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + noun.len() + 4);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push(' ');
    text.push_str(noun);
    if number != 1 {
        text.push('s');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_noun_agree() {
        let texts = [0, 1, 2, 999, 1_000, 4_001, 1_234_567].map(|number| counted(number, "run"));
        let wanted =
            ["0 runs", "1 run", "2 runs", "999 runs", "1,000 runs", "4,001 runs", "1,234,567 runs"];
        assert_eq!(texts, wanted);
    }
}
