//! Lists and maps: those built from values, and those of a document, whose values are made on first use.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use super::Value;
use super::document::{Document, Field, Part};

/// A map with more fields than this gets an index before its first look-up.
const LOOKED_THROUGH: usize = 128;
/// A map with more than `FEW` fields gets an index after this many look-ups.
const LOOKS: u32 = 8;
/// A map with at most this many fields is always searched in the document: an index would gain little.
const FEW: usize = 12;

/// A list of values.
#[derive(Clone)]
pub struct List(Arc<Elements>);

enum Elements {
    Built(Box<[Value]>),
    Read(Part, OnceLock<Box<[Value]>>),
    Later(Box<dyn Fn() -> Vec<Value> + Send + Sync>, OnceLock<Box<[Value]>>),
}

/// A map of values by name. Each name is there once.
#[derive(Clone)]
pub struct Object(Arc<Fields>);

enum Fields {
    /// Sorted by name.
    Built(Box<[(Box<str>, Value)]>),
    Read(ReadFields),
}

/// The fields of a map in a document. Each becomes a value when it is first read.
struct ReadFields {
    part: Part,
    /// How often a field was searched for.
    looks: AtomicU32,
    /// One cell for each field, in the order of the document.
    values: OnceLock<Box<[OnceLock<Value>]>>,
    /// The index: the fields sorted by name. Of several fields of one name, only the last.
    order: OnceLock<Box<[Field]>>,
}

/// An iterator over the fields of a map, sorted by name.
#[derive(Default)]
pub struct Entries<'a> {
    object: Option<&'a Object>,
    next: usize,
    count: usize,
}

impl List {
    /// An empty list.
    pub(super) fn empty() -> Self {
        // A constant, shared so that an empty list takes no memory.
        static EMPTY: LazyLock<List> = LazyLock::new(|| List::from(Vec::new()));
        EMPTY.clone()
    }

    /// The part of a document that it is; none where it was built.
    pub(super) fn part(&self) -> Option<&Part> {
        match &*self.0 {
            Elements::Read(part, _) => Some(part),
            Elements::Built(_) | Elements::Later(..) => None,
        }
    }

    /// The list that is this part of a document.
    pub(super) fn read(part: Part) -> Self {
        Self(Arc::new(Elements::Read(part, OnceLock::new())))
    }

    /// The list whose values `make` returns, called on first use.
    pub(super) fn later(make: impl Fn() -> Vec<Value> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Elements::Later(Box::new(make), OnceLock::new())))
    }
}

impl From<Vec<Value>> for List {
    fn from(values: Vec<Value>) -> Self {
        Self(Arc::new(Elements::Built(values.into())))
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        match &*self.0 {
            Elements::Built(values) => values,
            Elements::Read(part, values) => values.get_or_init(|| part.elements().collect()),
            Elements::Later(make, values) => values.get_or_init(|| make().into()),
        }
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Object {
    /// An empty map.
    pub(super) fn empty() -> Self {
        // A constant, shared so that an empty object takes no memory.
        static EMPTY: LazyLock<Object> = LazyLock::new(|| Object::new(Vec::new()));
        EMPTY.clone()
    }

    /// The part of a document that it is; none where it was built.
    pub(super) fn part(&self) -> Option<&Part> {
        match &*self.0 {
            Fields::Read(fields) => Some(&fields.part),
            Fields::Built(_) => None,
        }
    }

    /// A map of these fields; where a name is given twice, the later value wins.
    pub fn new(mut fields: Vec<(Box<str>, Value)>) -> Self {
        fields.sort_by(|one, other| one.0.cmp(&other.0));
        fields.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        Self(Arc::new(Fields::Built(fields.into())))
    }

    /// The map that is this part of a document.
    pub(super) fn read(part: Part) -> Self {
        let (looks, values, order) = (AtomicU32::new(0), OnceLock::new(), OnceLock::new());
        Self(Arc::new(Fields::Read(ReadFields { part, looks, values, order })))
    }

    /// The value of the field of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match &*self.0 {
            Fields::Built(fields) => {
                let found = fields.binary_search_by(|(candidate, _)| (**candidate).cmp(name));
                found.ok().map(|index| &fields[index].1)
            }
            Fields::Read(fields) => fields.get(name),
        }
    }

    /// How many elements the list in the field of this name has, without making values of them.
    pub(super) fn count_in(&self, name: &str) -> Option<usize> {
        match &*self.0 {
            Fields::Built(_) => self.get(name)?.as_list().map(<[Value]>::len),
            Fields::Read(fields) => fields.part.count_of_list(fields.find(name)?),
        }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        match &*self.0 {
            Fields::Built(fields) => fields.len(),
            Fields::Read(fields) => fields.order().len(),
        }
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.at_most() == 0
    }

    /// An upper bound on the number of fields, which counts repeated names too. Unlike [`Self::len`], it
    /// makes no index.
    pub fn at_most(&self) -> usize {
        match &*self.0 {
            Fields::Built(fields) => fields.len(),
            Fields::Read(fields) => fields.part.count(),
        }
    }

    /// The name of the field at this index, in the order of names.
    pub fn name_at(&self, at: usize) -> Option<&str> {
        match &*self.0 {
            Fields::Built(fields) => fields.get(at).map(|(name, _)| &**name),
            Fields::Read(fields) => fields.order().get(at).map(|field| fields.name(*field)),
        }
    }

    /// The fields, sorted by name.
    pub fn entries(&self) -> Entries<'_> {
        Entries { object: Some(self), next: 0, count: self.len() }
    }

    fn entry_at(&self, at: usize) -> Option<(&str, &Value)> {
        match &*self.0 {
            Fields::Built(fields) => fields.get(at).map(|(name, value)| (&**name, value)),
            Fields::Read(fields) => {
                let field = *fields.order().get(at)?;
                Some((fields.name(field), fields.value(field)))
            }
        }
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.entries().eq(other.entries())
    }
}

impl ReadFields {
    fn document(&self) -> &Document {
        self.part.document()
    }

    fn name(&self, field: Field) -> &str {
        self.document().text_at(field.name)
    }

    fn name_bytes(&self, field: Field) -> &[u8] {
        self.document().bytes_at(field.name)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.find(name).map(|field| self.value(field))
    }

    fn find(&self, name: &str) -> Option<Field> {
        let name = name.as_bytes();
        if self.is_indexed() {
            let order = self.order();
            let found = order.binary_search_by(|field| self.name_bytes(*field).cmp(name));
            found.ok().map(|at| order[at])
        } else {
            let document = self.document();
            // Of several fields of one name, the last one counts.
            self.part.fields().filter(|field| document.is_text(field.name, name)).last()
        }
    }

    /// Whether to search the index instead of the document. Counts the look-up.
    fn is_indexed(&self) -> bool {
        let count = self.part.count();
        count > LOOKED_THROUGH
            || (count > FEW && self.looks.fetch_add(1, Ordering::Relaxed) >= LOOKS)
    }

    fn value(&self, field: Field) -> &Value {
        let values = self.values.get_or_init(|| {
            std::iter::repeat_with(OnceLock::new).take(self.part.count()).collect()
        });
        values[field.place].get_or_init(|| self.part.value_of(field))
    }

    fn order(&self) -> &[Field] {
        self.order.get_or_init(|| {
            let mut fields: Vec<Field> = self.part.fields().collect();
            fields.sort_by(|one, other| self.name_bytes(*one).cmp(self.name_bytes(*other)));
            fields.dedup_by(|later, kept| {
                let same = self.name_bytes(*later) == self.name_bytes(*kept);
                if same {
                    *kept = *later;
                }
                same
            });
            fields.into()
        })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.object?.entry_at(self.next)?;
        self.next += 1;
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.count - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Entries<'_> {}

impl fmt::Debug for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fields", self.len())
    }
}
