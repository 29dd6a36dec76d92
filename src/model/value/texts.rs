//! A map of texts, such as headers, with one buffer for all its texts.

use bytes::Bytes;

use super::Value;
use super::document::{Document, Group, Node, Span};

/// The separator between several texts of one name.
const BETWEEN: &str = ", ";

impl Value {
    /// A map of these texts; several of one name are joined by commas. Null where they have more than
    /// 4 GiB, which a value cannot hold.
    pub fn texts<'t, Texts>(fields: impl IntoIterator<Item = (&'t str, Texts)>) -> Self
    where
        Texts: IntoIterator<Item = &'t str>,
    {
        let (mut all, mut nodes) = (String::new(), vec![Node::Map(Group::default())]);
        let mut count = 0;
        for (name, texts) in fields {
            let start = all.len();
            all.push_str(name);
            let middle = all.len();
            for (index, text) in texts.into_iter().enumerate() {
                all.push_str(if index > 0 { BETWEEN } else { "" });
                all.push_str(text);
            }
            let spans = [(start, middle), (middle, all.len())];
            let spans = spans.into_iter().map(|(from, to)| Span::new(from, to - from));
            nodes.extend(spans.map(Node::Unescaped));
            count += 1;
        }
        let (Ok(end), Ok(_)) = (u32::try_from(nodes.len()), u32::try_from(all.len())) else {
            return Self::Null;
        };
        nodes[0] = Node::Map(Group { count, end });
        Document::new(Bytes::new(), all, nodes).root()
    }
}
