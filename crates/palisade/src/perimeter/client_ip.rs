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
    /// A declared proxy says that the client came over plain HTTP.
    pub(super) plain: bool,
    /// Such headers came from somebody who is no declared proxy, or not through all that were counted; they were ignored.
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
    let carries = headers.keys().any(|name| {
        *name == header::FORWARDED || *name == X_FORWARDED_FOR || *name == X_FORWARDED_PROTO
    });
    let mut client = Client {
        address: connection.address().unwrap_or(here),
        secure: connection.secure,
        plain: false,
        ignored: false,
    };
    if !carries || !is_proxy(connection, proxies) {
        client.ignored = carries;
        return client;
    }
    // The declared one alone: a proxy that writes the one hands a client's forgery of the other through.
    let (hops, mut secure) = match written {
        ProxyHeader::Forwarded => (forwarded(headers), None),
        ProxyHeader::XForwardedFor => (x_forwarded_for(headers), x_forwarded_proto(headers)),
    };
    // Where proxies are counted, each of them has written one entry: fewer did not come through all of them.
    client.ignored = proxies.hops().is_some_and(|count| hops.len() < count);
    let believed = if client.ignored { 0 } else { MOST };
    for (number, hop) in hops.into_iter().rev().take(believed).enumerate() {
        secure = hop.secure.or(secure);
        // What a proxy could not tell or hides (`unknown`, `_name`) ends what can be believed.
        let Some(address) = hop.address else { break };
        client.address = address.to_canonical();
        let is_proxy = match proxies.hops() {
            Some(count) => number + 1 < count,
            None => proxies.trusts(client.address),
        };
        if !is_proxy {
            break;
        }
    }
    client.secure = secure.unwrap_or(client.secure);
    client.plain = secure == Some(false);
    client
}

#[derive(Default)]
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
            let mut hop = Hop::default();
            for pair in element.split(';') {
                let Some((name, value)) = pair.split_once('=') else {
                    continue;
                };
                let value = value.trim().trim_matches('"');
                if name.trim().eq_ignore_ascii_case("for") {
                    hop.address = address(value);
                } else if name.trim().eq_ignore_ascii_case("proto") {
                    hop.secure = is_secure(value);
                }
            }
            hops.push(hop);
        }
    }
    hops
}

fn x_forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let values = headers.get_all(X_FORWARDED_FOR).iter();
    let hop = |entry: &str| Hop {
        address: address(entry.trim()),
        secure: None,
    };
    values.flat_map(entries).map(hop).collect()
}

/// The last proxy's word: one that passes an older header on appends or replaces.
fn x_forwarded_proto(headers: &HeaderMap) -> Option<bool> {
    let values = headers.get_all(X_FORWARDED_PROTO).iter();
    is_secure(values.flat_map(entries).last()?)
}

/// What a scheme says; one that is neither says nothing.
fn is_secure(scheme: &str) -> Option<bool> {
    let is = |name: &str| scheme.trim().eq_ignore_ascii_case(name);
    if is("https") || is("wss") {
        Some(true)
    } else if is("http") || is("ws") {
        Some(false)
    } else {
        None
    }
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
    fn counts_proxies_from_the_right_where_their_number_is_declared() {
        let resolve = |count: &str, entries: &str, written: ProxyHeader| {
            let proxies = TrustedProxies::read(Raw::Text(count)).unwrap();
            let mut headers = HeaderMap::new();
            let name = match written {
                ProxyHeader::XForwardedFor => X_FORWARDED_FOR,
                ProxyHeader::Forwarded => header::FORWARDED,
            };
            headers.insert(name, entries.parse().unwrap());
            let connection = Connection::of(Peer::Address("198.51.100.1".parse().unwrap()));
            let client = client(&connection, &headers, &proxies, written);
            (client.address.to_string(), client.ignored)
        };
        for (count, entries, expected) in [
            ("1", "192.0.2.1", "192.0.2.1"),
            ("1", "6.6.6.6, 192.0.2.1", "192.0.2.1"),
            ("2", "192.0.2.1, 203.0.113.7", "192.0.2.1"),
            ("2", "6.6.6.6, 192.0.2.1, 203.0.113.7", "192.0.2.1"),
            ("2", "unknown, 203.0.113.7", "203.0.113.7"),
        ] {
            let found = resolve(count, entries, ProxyHeader::XForwardedFor);
            assert_eq!(found, (expected.to_owned(), false), "{count} {entries}");
        }
        // Fewer entries than proxies: it came past one of them, and nothing of it is believed.
        for (count, entries) in [("2", "6.6.6.6"), ("3", "6.6.6.6, 7.7.7.7")] {
            let found = resolve(count, entries, ProxyHeader::XForwardedFor);
            assert_eq!(
                found,
                ("198.51.100.1".to_owned(), true),
                "{count} {entries}"
            );
        }
        let found = resolve(
            "2",
            "for=192.0.2.1, for=203.0.113.7",
            ProxyHeader::Forwarded,
        );
        assert_eq!(found, ("192.0.2.1".to_owned(), false));
    }

    #[test]
    fn knows_plain_http_by_the_proxys_word_and_only_by_it() {
        let plain = |written, peer: &str, headers: Headers<'_>| {
            let proxies = TrustedProxies::read(Raw::Text("10.0.0.0/8")).unwrap();
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            let connection = Connection::of(Peer::Address(peer.parse().unwrap()));
            client(&connection, &map, &proxies, written).plain
        };
        use ProxyHeader::{Forwarded, XForwardedFor};
        let http = ("x-forwarded-proto", "http");
        assert!(plain(XForwardedFor, "10.0.0.1", &[http]));
        assert!(plain(
            XForwardedFor,
            "10.0.0.1",
            &[http, ("x-forwarded-for", "192.0.2.1")]
        ));
        assert!(plain(
            XForwardedFor,
            "10.0.0.1",
            &[("x-forwarded-proto", "https, HTTP")]
        ));
        assert!(plain(
            Forwarded,
            "10.0.0.1",
            &[("forwarded", "for=192.0.2.1;proto=http")]
        ));
        assert!(plain(Forwarded, "10.0.0.1", &[("forwarded", "proto=http")]));
        for (written, peer, headers) in [
            (XForwardedFor, "203.0.113.9", &[http][..]),
            (XForwardedFor, "10.0.0.1", &[]),
            (XForwardedFor, "10.0.0.1", &[("x-forwarded-proto", "https")]),
            (XForwardedFor, "10.0.0.1", &[("x-forwarded-proto", "")]),
            (
                XForwardedFor,
                "10.0.0.1",
                &[("x-forwarded-proto", "http, https")],
            ),
            (
                XForwardedFor,
                "10.0.0.1",
                &[("x-forwarded-for", "192.0.2.1")],
            ),
            (Forwarded, "10.0.0.1", &[http]),
            (Forwarded, "10.0.0.1", &[("forwarded", "for=192.0.2.1")]),
        ] {
            assert!(!plain(written, peer, headers), "{peer} {headers:?}");
        }
    }

    #[test]
    fn counts_what_it_ignores() {
        assert!(resolve("203.0.113.9", &[("forwarded", "for=192.0.2.1")]).2);
        assert!(resolve("203.0.113.9", &[("x-forwarded-proto", "https")]).2);
        assert!(!resolve("203.0.113.9", &[]).2);
        assert!(!resolve("10.0.0.1", &[("forwarded", "for=192.0.2.1")]).2);
    }
}
