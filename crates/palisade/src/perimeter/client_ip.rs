//! The client's address: the peer's, or what declared proxies say of it.
//!
//! Follows RFC 7239 (`Forwarded`) and the practice of `X-Forwarded-For`: read from the right, since everything left of the first
//! proxy that is not declared may be forged.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Connection, Peer};
use crate::config::{ProxyHeader, TrustedProxies};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Addresses that are read at most, from the right.
const MOST: usize = 32;

/// What the forwarding headers of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    pub(super) secure: bool,
    /// Somebody who is not a declared proxy sent such headers; they were ignored.
    pub(super) ignored: bool,
}

/// Whether the other end is a declared proxy. Who listens on a Unix socket has declared the one program that speaks there.
pub(super) fn is_proxy(connection: &Connection, proxies: &TrustedProxies) -> bool {
    match connection.address() {
        Some(address) => proxies.trusts(address),
        None => connection.peer == Peer::Socket,
    }
}

/// Reads them, if the peer is a declared proxy.
pub(super) fn client(
    connection: &Connection,
    headers: &HeaderMap,
    proxies: &TrustedProxies,
    written: ProxyHeader,
) -> Client {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let (peer, secure) = (connection.address().unwrap_or(here), connection.secure);
    let carries = headers.keys().any(|name| {
        *name == header::FORWARDED || *name == X_FORWARDED_FOR || *name == X_FORWARDED_PROTO
    });
    if !carries || !is_proxy(connection, proxies) {
        return Client {
            address: peer,
            secure,
            ignored: carries,
        };
    }
    // The declared one alone: a proxy that writes the one hands a client's forgery of the other through.
    let hops = match written {
        ProxyHeader::Forwarded => forwarded(headers),
        ProxyHeader::XForwardedFor => x_forwarded(headers),
    };
    let mut client = Client {
        address: peer,
        secure,
        ignored: false,
    };
    for hop in hops.into_iter().rev().take(MOST) {
        // What a proxy could not tell or hides (`unknown`, `_name`) ends what can be believed.
        let Some(address) = hop.address else { break };
        client.address = address.to_canonical();
        client.secure = hop.secure.unwrap_or(client.secure);
        if !proxies.trusts(client.address) {
            break;
        }
    }
    client
}

struct Hop {
    address: Option<IpAddr>,
    secure: Option<bool>,
}

/// The elements of all `Forwarded` headers, from the left.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let mut hops = Vec::new();
    for value in headers.get_all(header::FORWARDED) {
        // Quoted text holds no comma or semicolon in what we read: addresses and schemes.
        for element in entries(value) {
            let mut hop = Hop {
                address: None,
                secure: None,
            };
            for pair in element.split(';') {
                let Some((name, value)) = pair.split_once('=') else {
                    continue;
                };
                let value = value.trim().trim_matches('"');
                if name.trim().eq_ignore_ascii_case("for") {
                    hop.address = address(value);
                } else if name.trim().eq_ignore_ascii_case("proto") {
                    hop.secure = Some(value.eq_ignore_ascii_case("https"));
                }
            }
            hops.push(hop);
        }
    }
    hops
}

fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    // The last proxy's word: one that passes an older header on appends or replaces.
    let secure = headers
        .get_all(X_FORWARDED_PROTO)
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next())
        .map(|scheme| scheme.trim().eq_ignore_ascii_case("https"));
    let mut hops: Vec<Hop> = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .flat_map(entries)
        .map(|entry| Hop {
            address: address(entry.trim()),
            secure: None,
        })
        .collect();
    match hops.last_mut() {
        Some(last) => last.secure = secure,
        None => return Vec::new(),
    }
    hops
}

/// The entries of one header; one that is not text is empty, and takes no other with it.
fn entries(value: &HeaderValue) -> impl Iterator<Item = &str> {
    let bytes = value.as_bytes().split(|byte| *byte == b',');
    bytes.map(|entry| std::str::from_utf8(entry).unwrap_or_default())
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Raw, Setting as _};

    type Headers<'a> = &'a [(&'static str, &'static str)];

    fn resolve(peer: &str, headers: Headers<'_>) -> (String, bool, bool) {
        resolve_by(ProxyHeader::XForwardedFor, peer, headers)
    }

    fn resolve_by(written: ProxyHeader, peer: &str, headers: Headers<'_>) -> (String, bool, bool) {
        let proxies = TrustedProxies::read(Raw::Text("10.0.0.0/8,2001:db8:1::/48")).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let peer: IpAddr = peer.parse().unwrap();
        let connection = Connection::of(Peer::Address(peer.to_canonical()));
        let client = client(&connection, &map, &proxies, written);
        (client.address.to_string(), client.secure, client.ignored)
    }

    fn check(peer: &str, headers: Headers<'_>, expected: &str) {
        assert_eq!(resolve(peer, headers).0, expected, "{peer} {headers:?}");
    }

    fn check_forwarded(peer: &str, headers: Headers<'_>, expected: &str) {
        let resolved = resolve_by(ProxyHeader::Forwarded, peer, headers);
        assert_eq!(resolved.0, expected, "{peer} {headers:?}");
    }

    #[test]
    fn one_entry_that_is_no_text_takes_no_other_with_it() {
        let proxies = TrustedProxies::read(Raw::Text("10.0.0.0/8")).unwrap();
        let connection = Connection::of(Peer::Address("10.0.0.1".parse().unwrap()));
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(b"\xff, 192.0.2.1").unwrap();
        headers.insert(X_FORWARDED_FOR, value);
        let found = client(&connection, &headers, &proxies, ProxyHeader::XForwardedFor);
        assert_eq!(found.address.to_string(), "192.0.2.1");
    }

    #[test]
    fn believes_declared_proxies_alone_and_from_the_right() {
        check("203.0.113.9", &[], "203.0.113.9");
        check(
            "203.0.113.9",
            &[("x-forwarded-for", "192.0.2.1")],
            "203.0.113.9",
        );
        check("10.0.0.1", &[("x-forwarded-for", "192.0.2.1")], "192.0.2.1");
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "6.6.6.6, 192.0.2.1")],
            "192.0.2.1",
        );
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.2")],
            "192.0.2.1",
        );
        check(
            "10.0.0.1",
            &[
                ("x-forwarded-for", "6.6.6.6"),
                ("x-forwarded-for", "192.0.2.1"),
            ],
            "192.0.2.1",
        );
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")],
            "10.0.0.3",
        );
        check("10.0.0.1", &[("x-forwarded-for", "")], "10.0.0.1");
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "6.6.6.6, nonsense")],
            "10.0.0.1",
        );
        check(
            "::ffff:10.0.0.1",
            &[("x-forwarded-for", "::ffff:192.0.2.1")],
            "192.0.2.1",
        );
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "[2001:db8::7]:4711")],
            "2001:db8::7",
        );
    }

    #[test]
    fn reads_forwarded_and_never_a_mixture() {
        check_forwarded(
            "10.0.0.1",
            &[("forwarded", "for=192.0.2.1;proto=https;by=10.0.0.1")],
            "192.0.2.1",
        );
        check_forwarded(
            "10.0.0.1",
            &[("forwarded", "for=6.6.6.6, for=\"[2001:db8::7]:80\"")],
            "2001:db8::7",
        );
        check_forwarded(
            "10.0.0.1",
            &[("forwarded", "for=6.6.6.6, for=unknown")],
            "10.0.0.1",
        );
        check_forwarded(
            "10.0.0.1",
            &[("forwarded", "for=_hidden, for=10.0.0.2")],
            "10.0.0.2",
        );
        check_forwarded(
            "10.0.0.1",
            &[
                ("forwarded", "for=192.0.2.1"),
                ("x-forwarded-for", "6.6.6.6"),
            ],
            "192.0.2.1",
        );
        check_forwarded("10.0.0.1", &[("forwarded", "proto=https")], "10.0.0.1");
        check(
            "10.0.0.1",
            &[
                ("forwarded", "for=6.6.6.6"),
                ("x-forwarded-for", "192.0.2.1"),
            ],
            "192.0.2.1",
        );
    }

    #[test]
    fn tells_tls_by_the_proxys_word_alone() {
        assert!(
            resolve(
                "10.0.0.1",
                &[
                    ("x-forwarded-for", "192.0.2.1"),
                    ("x-forwarded-proto", "https")
                ]
            )
            .1
        );
        assert!(
            !resolve(
                "203.0.113.9",
                &[
                    ("x-forwarded-for", "192.0.2.1"),
                    ("x-forwarded-proto", "https")
                ]
            )
            .1
        );
        assert!(
            !resolve(
                "10.0.0.1",
                &[
                    ("x-forwarded-for", "192.0.2.1"),
                    ("x-forwarded-proto", "https, http")
                ]
            )
            .1
        );
        assert!(
            resolve_by(
                ProxyHeader::Forwarded,
                "10.0.0.1",
                &[("forwarded", "for=192.0.2.1;proto=https")]
            )
            .1
        );
    }

    #[test]
    fn counts_what_it_ignores() {
        assert!(resolve("203.0.113.9", &[("forwarded", "for=192.0.2.1")]).2);
        assert!(resolve("203.0.113.9", &[("x-forwarded-proto", "https")]).2);
        assert!(!resolve("203.0.113.9", &[]).2);
        assert!(!resolve("10.0.0.1", &[("forwarded", "for=192.0.2.1")]).2);
    }
}
