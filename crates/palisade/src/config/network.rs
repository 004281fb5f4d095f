//! Who is let near: the names that the service answers to, and the proxies that it believes.

use std::net::IpAddr;

use super::section::Section;
use super::setting::{Member, Raw, Setting, Wrong};

/// The host names that requests may ask for; in development this machine's own when none is set.
///
/// # Security
/// A forged `Host` poisons caches and links, and carries DNS rebinding; production does not start without the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHosts {
    names: Vec<String>,
    /// Whether whatever is no name is allowed too: an address cannot be made to lead elsewhere, as a name can.
    addresses: bool,
}

impl AllowedHosts {
    fn of(names: Vec<String>) -> Self {
        Self {
            names,
            addresses: false,
        }
    }

    /// The same and every address, for what is not asked for by its name.
    pub(crate) fn and_addresses(&self) -> Self {
        let mut names = self.names.clone();
        names.push("localhost".to_owned());
        Self {
            names,
            addresses: true,
        }
    }

    /// Whether a request may ask for this host; a port in it is ignored.
    #[must_use]
    pub fn allows(&self, host: &str) -> bool {
        if self.names.iter().any(|allowed| allowed == host) {
            return true;
        }
        let bare = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let bare = bare.strip_suffix('.').unwrap_or(bare);
        let known = self
            .names
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(bare));
        known || self.addresses && is_address(bare)
    }

    /// The names, as they were written.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

fn is_address(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

impl Setting for AllowedHosts {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let hosts = Vec::<String>::read(raw)?;
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let fine =
            |host: &String| host.len() <= 253 && (host.split('.').all(label) || is_address(host));
        match !hosts.is_empty() && hosts.iter().all(fine) {
            true => Ok(Self::of(hosts)),
            false => Err(Wrong::new(
                "is not a list of host names",
                "write each name alone, without scheme, port or `*`, such as [\"api.example.org\"]",
            )),
        }
    }

    fn take(section: &mut Section<'_>, member: &Member) -> Option<Self> {
        match (section.has(member.name), section.is_production()) {
            (true, _) => section.value(member),
            (false, false) => Some(Self::of(
                ["localhost", "127.0.0.1", "[::1]"]
                    .map(String::from)
                    .to_vec(),
            )),
            (false, true) => {
                let fix = "name the hosts that clients ask for, such as allowed_hosts = [\"api.example.org\"] in `palisade.toml`";
                section.refuse(
                    member,
                    "is missing, and production answers only to declared hosts",
                    fix,
                );
                None
            }
        }
    }
}

/// Networks of addresses, such as `10.0.0.0/24`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u8)>);

impl Networks {
    /// Whether the address is in one of them; an IPv4 address that is mapped into IPv6 counts as itself.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|&(network, prefix)| {
            network.is_ipv4() == address.is_ipv4()
                && masked(network, prefix) == masked(address, prefix)
        })
    }
}

impl Networks {
    /// The networks that these texts name; `None` when one of them is none, or every address there is.
    pub(crate) fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let networks: Option<Vec<_>> = texts.map(network).collect();
        networks
            .filter(|networks| networks.iter().all(|(_, prefix)| *prefix > 0))
            .map(Self)
    }
}

impl Setting for Networks {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let fix = "write the proxies' networks, such as [\"10.0.0.0/24\"]";
        let texts = Vec::<String>::read(raw)?;
        let networks: Option<Vec<_>> = texts.iter().map(|text| network(text)).collect();
        let networks = networks.filter(|networks| !networks.is_empty());
        let networks = networks.ok_or(Wrong::new("is not a list of networks", fix))?;
        match networks.iter().any(|(_, prefix)| *prefix == 0) {
            true => Err(Wrong::new("trusts every address there is", fix)),
            false => Ok(Self(networks)),
        }
    }
}

/// The proxies that end TLS and say truly who calls, by their networks or by how many stand in a row; nobody is believed when none
/// is set.
///
/// # Security
/// A client could write `X-Forwarded-For` itself, so only the address that really connected counts, and networks must
/// hold the proxies alone. A count believes **whoever connects**: it is right only where nobody but the proxies can reach the service,
/// and every request takes the same way. Production does not start without either, unless this process ends TLS itself or listens on a
/// Unix socket, which only a program of this machine can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies(Declared);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Declared {
    Networks(Networks),
    Hops(usize),
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self(Declared::Networks(Networks::default()))
    }
}

impl TrustedProxies {
    /// More proxies than these stand in no row.
    const MOST_HOPS: usize = 8;

    /// Whether the connected peer is a declared proxy; where proxies are counted, everybody is.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        match &self.0 {
            Declared::Networks(networks) => networks.contain(peer),
            Declared::Hops(_) => true,
        }
    }

    /// How many proxies every request comes through, where they are counted.
    #[must_use]
    pub fn hops(&self) -> Option<usize> {
        match &self.0 {
            Declared::Networks(_) => None,
            Declared::Hops(hops) => Some(*hops),
        }
    }

    /// Whether no proxy was declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Declared::Networks(networks) if networks.0.is_empty())
    }
}

/// Which header the declared proxies write the client's address into; the other one is the client's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Setting for ProxyHeader {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        match raw.text()? {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(Wrong::new(
                "is neither `x-forwarded-for` nor `forwarded`",
                "write the one that your proxies set",
            )),
        }
    }
}

fn masked(address: IpAddr, prefix: u8) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(
            address
                .to_bits()
                .checked_shr(32 - u32::from(prefix))
                .unwrap_or(0),
        ),
        IpAddr::V6(address) => address
            .to_bits()
            .checked_shr(128 - u32::from(prefix))
            .unwrap_or(0),
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (
            address.parse::<IpAddr>().ok()?,
            Some(prefix.parse::<u8>().ok()?),
        ),
        None => (text.parse().ok()?, None),
    };
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(whole);
    (prefix <= whole).then_some((address, prefix))
}

impl Setting for TrustedProxies {
    fn read(raw: Raw<'_>) -> Result<Self, Wrong> {
        let count = |text: &str| text.trim().parse::<i64>().ok();
        let number = match raw {
            Raw::Integer(number) => Some(number),
            Raw::Text(text) => count(text),
            _ => None,
        };
        if let Some(number) = number {
            let hops = usize::try_from(number).ok();
            let hops = hops.filter(|hops| (1..=Self::MOST_HOPS).contains(hops));
            return hops.map(|hops| Self(Declared::Hops(hops))).ok_or(Wrong::new(
                "is no count of proxies",
                "write how many stand in a row before the service, 1 to 8, or their networks, such as [\"10.0.0.0/24\"]; without a proxy leave it out",
            ));
        }
        let texts = Vec::<String>::read(raw);
        if texts.is_ok_and(|texts| texts.iter().any(|text| count(text).is_some())) {
            return Err(Wrong::new(
                "holds a count among networks",
                "write either the proxies' networks, such as [\"10.0.0.0/24\"], or their count alone, such as 2",
            ));
        }
        Networks::read(raw).map(|networks| Self(Declared::Networks(networks)))
    }

    fn take(section: &mut Section<'_>, member: &Member) -> Option<Self> {
        let unneeded =
            !section.is_production() || section.has("tls") || section.begins("host", "unix:");
        match (section.has(member.name), unneeded) {
            (true, _) => section.value(member),
            (false, true) => Some(Self::default()),
            (false, false) => {
                section.refuse(
                    member,
                    "is missing: production needs TLS, or a declared proxy that ends it",
                    "set `PALISADE_TLS__CERTIFICATE` and `PALISADE_TLS__KEY` to the PEM files of the certificate and its key, \
                     or name the networks of the proxies that end TLS, such as trusted_proxies = [\"10.0.0.0/24\"] in `palisade.toml`",
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believes_declared_networks_alone() {
        let proxies = TrustedProxies::read(Raw::Text("10.1.0.0/16, fd00::/8, 192.0.2.7")).unwrap();
        for (peer, trusted) in [
            ("10.1.255.9", true),
            ("10.2.0.1", false),
            ("fd12::1", true),
            ("fe80::1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("::ffff:10.1.2.3", true),
        ] {
            assert_eq!(proxies.trusts(peer.parse().unwrap()), trusted, "{peer}");
        }
    }

    #[test]
    fn counts_proxies_or_names_them_and_never_both() {
        let read = |text| TrustedProxies::read(Raw::Text(text));
        assert_eq!(read("2").unwrap().hops(), Some(2));
        assert_eq!(
            TrustedProxies::read(Raw::Integer(8)).unwrap().hops(),
            Some(8)
        );
        assert!(!read("1").unwrap().is_empty() && read("10.0.0.1").unwrap().hops().is_none());
        for bad in ["0", "9", "-1", "1,10.0.0.0/8", "10.0.0.0/8, 1", "true", "*"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_to_declared_hosts_alone() {
        let hosts = AllowedHosts::read(Raw::Text("api.example.org,[::1]")).unwrap();
        for (host, allowed) in [
            ("api.example.org", true),
            ("API.example.org:443", true),
            ("api.example.org.", true),
            ("[::1]:3000", true),
            ("[::1]", true),
            ("evil.org", false),
            ("api.example.org.evil.org", false),
            ("", false),
        ] {
            assert_eq!(hosts.allows(host), allowed, "{host}");
        }
    }
}
