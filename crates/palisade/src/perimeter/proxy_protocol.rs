//! The PROXY protocol, versions 1 and 2: a declared balancer says whose connection it passes on.
//!
//! The specification is HAProxy's `proxy-protocol.txt`. Parsed by `proxy-header`; what that leaves open is checked here:
//! the length, the checksum, that it is a TCP connection, and the exact form of version 1.

use std::net::IpAddr;

use crc::{CRC_32_ISCSI, Crc};
use proxy_header::{Error, ParseConfig, Protocol, ProxyHeader, Tlv};

/// Bytes of a header at most; version 1 ends at 107 by its own rule.
const MAX: usize = 4 * 1024;
const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
/// How the two versions begin.
const TEXT: &[u8] = b"PROXY ";
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const CHECKSUM: u8 = 0x03;

/// What a header said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// How many bytes it took.
    pub(super) length: usize,
    /// The client's address; none for a connection of the balancer's own, such as its health check.
    pub(super) source: Option<IpAddr>,
}

/// Whether a stream begins like a PROXY header, as no HTTP request does.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    bytes.starts_with(TEXT) || bytes.starts_with(BINARY)
}

/// The header that the stream begins with; `None` while it is not whole.
///
/// # Errors
/// A word for the event.
pub(super) fn read(mut bytes: &[u8]) -> Result<Option<Header>, &'static str> {
    let like = |start: &[u8]| start.iter().zip(bytes).all(|(a, b)| a == b);
    let mut whole = false;
    if bytes.len() >= 16 && bytes.starts_with(BINARY) {
        let length = 16 + usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
        if length > MAX {
            return Err("too_long");
        }
        whole = bytes.len() >= length;
        bytes = &bytes[..bytes.len().min(length)];
    } else if !like(BINARY) && !like(TEXT) {
        return Err("no_header");
    }
    let config = ParseConfig {
        include_tlvs: true,
        ..ParseConfig::default()
    };
    let (header, length) = match ProxyHeader::parse(bytes, config) {
        Ok(parsed) => parsed,
        Err(Error::BufferTooShort) if !whole => return Ok(None),
        Err(_) => return Err("malformed"),
    };
    let bytes = &bytes[..length];
    if bytes.starts_with(BINARY) {
        checksum(bytes, &header)?;
    } else {
        text(bytes)?;
    }
    let source = match header.proxied_address() {
        Some(address) if address.protocol == Protocol::Datagram => return Err("not_tcp"),
        Some(address) => Some(address.source.ip().to_canonical()),
        None => None,
    };
    Ok(Some(Header { length, source }))
}

/// Version 1: one line of six words of plain text.
fn text(line: &[u8]) -> Result<(), &'static str> {
    let words = line.trim_ascii_end().split(|byte| *byte == b' ');
    let plain = |word: &[u8]| {
        !word.is_empty()
            && word
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b".:".contains(byte))
    };
    if line.len() > 107 {
        return Err("too_long");
    }
    let unknown = line.starts_with(b"PROXY UNKNOWN");
    if unknown || (words.clone().count() == 6 && words.clone().all(plain)) {
        Ok(())
    } else {
        Err("malformed")
    }
}

/// The checksum of version 2, when there is one: over the whole header, with zeros in the checksum's place.
fn checksum(header: &[u8], parsed: &ProxyHeader<'_>) -> Result<(), &'static str> {
    // A connection of the balancer's own, or of a kind that it does not tell: the rest means nothing.
    if header[12] == 0x20 || header[13] == 0x00 {
        return Ok(());
    }
    let mut said = None;
    for tlv in parsed.tlvs() {
        match tlv {
            Ok(Tlv::Crc32c(sum)) => said = Some(sum),
            Ok(_) => {}
            Err(_) => return Err("malformed"),
        }
    }
    let Some(said) = said else {
        return Ok(());
    };
    let mut at = 16
        + match header[13] >> 4 {
            1 => 12,
            2 => 36,
            _ => 216,
        };
    let mut copy = header.to_vec();
    while at + 3 <= copy.len() {
        let length = usize::from(u16::from_be_bytes([copy[at + 1], copy[at + 2]]));
        if copy[at] == CHECKSUM && length == 4 && at + 7 <= copy.len() {
            copy[at + 3..at + 7].fill(0);
        }
        at += 3 + length;
    }
    if CRC32C.checksum(&copy) == said {
        Ok(())
    } else {
        Err("checksum")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
        [BINARY, &[command, family], &length, rest].concat()
    }

    const ADDRESSES: &[u8] = &[192, 0, 2, 7, 10, 0, 0, 1, 0x1f, 0x90, 0, 80];

    fn source(bytes: &[u8]) -> Option<IpAddr> {
        let header = read(bytes).expect("well formed").expect("whole");
        assert_eq!(header.length, bytes.len());
        header.source
    }

    #[test]
    fn reads_both_versions() {
        let seven = Some("192.0.2.7".parse().expect("an address"));
        assert_eq!(source(b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n"), seven);
        assert_eq!(source(&binary(0x21, 0x11, ADDRESSES)), seven);
        let eight = Some("2001:db8::8".parse().expect("an address"));
        assert_eq!(source(b"PROXY TCP6 2001:db8::8 ::1 8080 80\r\n"), eight);
        let mut six = [0; 36];
        six[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        six[15] = 8;
        assert_eq!(source(&binary(0x21, 0x21, &six)), eight);
        let mapped = b"PROXY TCP6 ::ffff:192.0.2.7 ::1 8080 80\r\n";
        assert_eq!(source(mapped), seven);
    }

    #[test]
    fn tells_no_address_for_a_connection_of_the_balancer_itself() {
        assert_eq!(source(b"PROXY UNKNOWN\r\n"), None);
        assert_eq!(source(&binary(0x20, 0x00, b"")), None);
        assert_eq!(source(&binary(0x20, 0x11, ADDRESSES)), None);
    }

    #[test]
    fn skips_what_it_does_not_know_and_checks_the_checksum() {
        let extra = [&[0xea, 0, 3][..], b"aws", &[CHECKSUM, 0, 4, 0, 0, 0, 0]].concat();
        let mut header = binary(0x21, 0x11, &[ADDRESSES, &extra].concat());
        let sum = CRC32C.checksum(&header).to_be_bytes();
        let end = header.len();
        header[end - 4..].copy_from_slice(&sum);
        assert!(source(&header).is_some());
        header[17] ^= 1;
        assert_eq!(read(&header), Err("checksum"));
    }

    #[test]
    fn waits_for_a_whole_header_and_no_longer() {
        for whole in [
            b"PROXY TCP4 192.0.2.7 10.0.0.1 8080 80\r\n".to_vec(),
            binary(0x21, 0x11, ADDRESSES),
        ] {
            for end in 1..whole.len() {
                assert_eq!(read(&whole[..end]), Ok(None), "{end}");
            }
        }
    }

    #[test]
    fn refuses_what_is_no_header_or_too_long_or_not_exact() {
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 120]].concat();
        let unknown = [b"PROXY UNKNOWN ".as_slice(), &[b'1'; 100], b"\r\n"].concat();
        for (bytes, reason) in [
            (b"GET / HTTP/1.1\r\n".to_vec(), "no_header"),
            (b"\r\n\r\nGET / HTTP/1.1\r\n".to_vec(), "no_header"),
            (
                b"PROXYXTCP4 192.0.2.7 10.0.0.1 1 2\r\n".to_vec(),
                "no_header",
            ),
            (
                b"PROXY TCP4 192.0.2.7 10.0.0.1 +1 2\r\n".to_vec(),
                "malformed",
            ),
            (
                b"PROXY TCP4 192.0.2.7  10.0.0.1 1 2\r\n".to_vec(),
                "malformed",
            ),
            (
                b"PROXY TCP4 192.0.2.700 10.0.0.1 1 2\r\n".to_vec(),
                "malformed",
            ),
            (
                b"PROXY TCP4 192.0.2.7 10.0.0.1 1 70000\r\n".to_vec(),
                "malformed",
            ),
            (
                b"PROXY TCP4 2001:db8::8 10.0.0.1 1 2\r\n".to_vec(),
                "malformed",
            ),
            (
                b"PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n".to_vec(),
                "malformed",
            ),
            (long, "malformed"),
            (unknown, "too_long"),
            (binary(0x21, 0x11, &[0; 11]), "malformed"),
            (binary(0x31, 0x11, ADDRESSES), "malformed"),
            (binary(0x22, 0x11, ADDRESSES), "malformed"),
            (binary(0x21, 0x13, ADDRESSES), "malformed"),
            (binary(0x21, 0x12, ADDRESSES), "not_tcp"),
            (binary(0x21, 0x11, &[0; 5000]), "too_long"),
            (
                binary(0x21, 0x11, &[ADDRESSES, &[1, 0]].concat()),
                "malformed",
            ),
        ] {
            assert_eq!(read(&bytes), Err(reason), "{}", bytes.escape_ascii());
        }
    }
}
