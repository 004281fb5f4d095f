//! A network that a key is good from.

use crate::config::Networks;
use crate::input::{Field, Node, Reader, Text};
use crate::output::OutputField;

/// A network of addresses, or one address: `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::auth) struct Network(Text<2, 49>);

impl Network {
    /// All of them as one list; one that cannot be read makes a list that holds nobody.
    pub(super) fn list<'a>(networks: impl Iterator<Item = &'a Self>) -> Networks {
        Networks::parse(networks.map(|network| network.0.as_str())).unwrap_or_default()
    }
}

impl Field for Network {
    fn read(node: Node, reader: &mut Reader) -> Option<Self> {
        let text = Text::read(node, reader)?;
        if Networks::parse(std::iter::once::<&str>(&text)).is_none() {
            return reader.refuse(
                "network",
                "must be an address or a network such as 192.0.2.0/24, and not every address there is",
            );
        }
        Some(Self(text))
    }
}

impl OutputField for Network {
    fn show<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.show(serializer)
    }
}
