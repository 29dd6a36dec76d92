//! The format of answers in each chat program: its length limit, its JSON, and its escapes.
//!
//! An answer consists of plain lines. Every line is escaped, the gateway's own texts too, and there is no
//! way to put unescaped text into an answer. So text that someone typed cannot mention people, become a
//! link or format the answer.

use serde_json::json;

use crate::providers::Reply;

/// A chat program whose format of answers is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Slack.
    Slack,
    /// Mattermost.
    Mattermost,
    /// Microsoft Teams.
    Teams,
    /// Discord.
    Discord,
}

/// A space without width. It goes between two characters that would be markup if they were adjacent.
const APART: char = '\u{200b}';
/// Longest line of an answer, in characters, before it is escaped. The rest of a line is cut off.
const LONGEST_LINE: usize = 400;
/// The last line of an answer that was too long.
const MORE: &str = "(there is more; the answer is cut short here)";

impl Dialect {
    /// Every chat program.
    pub const ALL: [Self; 4] = [Self::Slack, Self::Mattermost, Self::Teams, Self::Discord];

    /// Escapes a text so that it can neither mention people, nor become a link, nor format.
    pub fn escape(self, text: &str) -> String {
        let calm = calm(text);
        let mut escaped = String::with_capacity(calm.len());
        for letter in calm.chars() {
            match self {
                Self::Slack => slack(letter, &mut escaped),
                Self::Mattermost | Self::Discord => markdown(letter, &mut escaped),
                Self::Teams => entity(letter, &mut escaped),
            }
        }
        escaped
    }

    /// An answer to the person who gave a command. Where the chat program supports that, nobody else
    /// sees it.
    pub fn reply(self, lines: &[String]) -> Reply {
        let text = self.text(lines);
        Reply::json(&match self {
            // By default, Slack formats text and makes links of addresses.
            Self::Slack => json!({
                "response_type": "ephemeral", "text": text,
                "mrkdwn": false, "parse": "none", "link_names": false,
            }),
            Self::Mattermost => json!({
                "response_type": "ephemeral", "text": text, "skip_slack_parsing": true,
            }),
            Self::Teams => json!({ "type": "message", "text": text }),
            // Type 4 answers with a message. Flag 64 shows it only to the user.
            Self::Discord => json!({
                "type": 4,
                "data": { "content": text, "flags": 64, "allowed_mentions": { "parse": [] } },
            }),
        })
    }

    /// The lines, escaped, as many of them as the program's limit allows.
    fn text(self, lines: &[String]) -> String {
        let between = if self == Self::Teams { "\n\n" } else { "\n" };
        let room = self.longest() - MORE.len() - between.len();
        let mut text = String::new();
        for line in lines {
            let short: String = line.chars().take(LONGEST_LINE).collect();
            let line = self.escape(&short);
            if text.chars().count() + between.len() + line.chars().count() > room {
                text.push_str(between);
                text.push_str(&self.escape(MORE));
                break;
            }
            if !text.is_empty() {
                text.push_str(between);
            }
            text.push_str(&line);
        }
        text
    }

    /// Longest answer, in characters.
    fn longest(self) -> usize {
        match self {
            // Slack cuts at 40,000 and advises 4,000.
            Self::Slack => 4000,
            // Mattermost documents a limit of 16,383. Nobody reads answers as long as that.
            Self::Mattermost | Self::Teams => 8000,
            Self::Discord => 2000,
        }
    }
}

/// One line without invisible characters, in which [`APART`] follows every character that could begin a
/// mention, an address or the name of an emoji.
fn calm(text: &str) -> String {
    let mut calm = String::with_capacity(text.len());
    let mut letters = text.chars().filter(|letter| !is_unseen(*letter)).peekable();
    while let Some(letter) = letters.next() {
        calm.push(if letter.is_control() || letter.is_whitespace() { ' ' } else { letter });
        let Some(next) = letters.peek() else { break };
        let begins = match letter {
            '@' | ':' | '#' | '~' | '!' | '&' | '<' | '\u{ff20}' => !next.is_whitespace(),
            // A dot before a letter can be part of a host name.
            '.' => next.is_alphabetic(),
            _ => false,
        };
        if begins {
            calm.push(APART);
        }
    }
    calm
}

/// Characters without width, and those that change the direction of text.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Escapes the three characters that Slack wants escaped, and separates marks that could format text from
/// what follows them.
fn slack(letter: char, out: &mut String) {
    match letter {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '*' | '`' => out.extend([letter, APART]),
        _ => out.push(letter),
    }
}

/// Markdown treats a mark after a backslash as plain text.
fn markdown(letter: char, out: &mut String) {
    if is_mark(letter) {
        out.push('\\');
    }
    out.push(letter);
}

/// Neither Markdown nor HTML treats a mark as one where it is written as a numeric entity.
fn entity(letter: char, out: &mut String) {
    if is_mark(letter) {
        out.push_str(&format!("&#{};", u32::from(letter)));
    } else {
        out.push(letter);
    }
}

fn is_mark(letter: char) -> bool {
    matches!(
        letter,
        '\\' | '`' | '*' | '_' | '~' | '|' | '[' | ']' | '<' | '>' | '#' | '&' | '!' | '$'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text on which the chat program would act, were it in an escaped text.
    fn is_tame(dialect: Dialect, escaped: &str) {
        let marks: &[&str] = match dialect {
            // Slack knows no others, and formats by an underscore only where it may format.
            Dialect::Slack => &["**", "~~", "```"],
            _ => &["**", "__", "~~", "```", "||"],
        };
        let words = [
            "@here",
            "@channel",
            "@everyone",
            "@all",
            "://",
            "<!",
            "<@",
            "<#",
            "<at>",
            ":smile:",
            "www.e",
            "mailto:a",
            "e.example",
        ];
        for wild in words.iter().chain(marks) {
            assert!(!escaped.contains(wild), "{dialect:?}: {wild} in {escaped}");
        }
        assert!(!escaped.contains(['\n', '\r', '\0', '\u{202e}']), "{escaped:?}");
        let mut letters = escaped.chars();
        while let Some(letter) = letters.next() {
            match dialect {
                Dialect::Slack => assert!(!matches!(letter, '<' | '>'), "{escaped}"),
                Dialect::Teams => assert!(!"*_`[]<>~|\\!".contains(letter), "{escaped}"),
                Dialect::Mattermost | Dialect::Discord if letter == '\\' => {
                    assert!(letters.next().is_some_and(is_mark), "{escaped}");
                }
                Dialect::Mattermost | Dialect::Discord => assert!(!is_mark(letter), "{escaped}"),
            }
        }
    }

    #[test]
    fn what_would_mention_link_or_format_is_only_text() {
        for text in [
            "<!channel> <!here|x> <@U123> <#C1> <https://e.example|x>",
            "@here @channel @everyone @all <@&1> <@!2> <at>Bob</at>",
            "https://e.example www.e.example mailto:a@e.example slack://x",
            "@\u{200b}here <\u{200b}!channel> \u{202e}live",
            "**b** __u__ ~~s~~ ||spoiler|| ```code``` [a](https://e.example) ![i](x) :smile: # h",
            "a\nb\r\n> quote\0",
        ] {
            for dialect in Dialect::ALL {
                is_tame(dialect, &dialect.escape(text));
            }
        }
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        let text = "retrain: run 0195-a of job nightly is queued, 2.5 (yes)";
        for dialect in Dialect::ALL {
            assert_eq!(dialect.escape(text), text, "{dialect:?}");
        }
    }

    #[test]
    fn an_answer_fits_what_the_program_takes() {
        let lines = vec!["*".repeat(1000); 100];
        for dialect in Dialect::ALL {
            let text = dialect.text(&lines);
            assert!(text.chars().count() <= dialect.longest(), "{dialect:?}");
            assert!(text.contains("cut short"), "{dialect:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_tame(
            pieces in proptest::collection::vec(
                "[\\PC\n\u{200b}\u{202e}]{0,6}|@here|@everyone|<!channel>|<@U1>|https://e.example|www\\.e\\.example|\\*\\*|\\]\\(|:smile:|\\\\",
                0..12,
            )
        ) {
            let text = pieces.concat();
            for dialect in Dialect::ALL {
                is_tame(dialect, &dialect.escape(&text));
            }
        }
    }
}
