//! Where a request of HTTP/1 begins and ends: read once more strictly than the HTTP library reads it.
//!
//! Whatever two servers in a row could take for two different things is refused: that is what request smuggling is made
//! of (RFC 9112, sections 2.2, 6.3 and 11.2).

use super::pulse::Flaw;

/// Bytes of a request's head at most.
pub(in crate::perimeter) const MAX_HEAD: usize = 16 * 1024;
/// Header lines of a request at most.
pub(in crate::perimeter) const MAX_HEADERS: usize = 64;
/// Bytes of a chunk's size line, and of all trailers together, at most.
const MAX_CHUNK_LINE: usize = 512;
const MAX_TRAILERS: usize = 4 * 1024;
/// Bytes of one chunk at most: more than any body may have.
const MAX_CHUNK: u64 = 1 << 32;

/// The head of one request while it arrives.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Where the line begins that is not whole yet, and from where on its end was not looked for.
    line: usize,
    searched: usize,
    lines: usize,
    old: bool,
    hosts: usize,
    length: Option<u64>,
    chunked: bool,
}

impl Head {
    /// Looks at all that arrived so far; the length of the head when it is whole.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, Flaw> {
        while let Some(found) = memchr::memchr(b'\n', &bytes[self.searched..]) {
            let end = self.searched + found;
            self.searched = end + 1;
            let line = &bytes[self.line..end];
            // A bare LF is an end of line to some servers and none to others.
            let Some((b'\r', line)) = line.split_last() else {
                return Err(Flaw::Malformed("bare_line_feed"));
            };
            if end >= MAX_HEAD {
                return Err(self.too_large());
            }
            match (line.is_empty(), self.lines) {
                // RFC 9112, 2.2: one empty line before a request is forgiven.
                (true, 0) if self.line == 0 => {}
                (true, 0) => return Err(Flaw::Malformed("empty_request_line")),
                (true, _) => return self.whole().map(|()| Some(end + 1)),
                (false, 0) => {
                    self.request_line(line)?;
                    self.lines = 1;
                }
                (false, _) => {
                    self.header_line(line)?;
                    self.lines += 1;
                }
            }
            if self.lines > MAX_HEADERS + 1 {
                return Err(Flaw::HeadTooLarge);
            }
            self.line = end + 1;
        }
        self.searched = bytes.len();
        if bytes.len() >= MAX_HEAD {
            return Err(self.too_large());
        }
        Ok(None)
    }

    fn too_large(&self) -> Flaw {
        if self.lines == 0 {
            Flaw::TargetTooLong
        } else {
            Flaw::HeadTooLarge
        }
    }

    /// The rest of the line is the HTTP library's to judge.
    fn request_line(&mut self, line: &[u8]) -> Result<(), Flaw> {
        self.old = line.ends_with(b" HTTP/1.0");
        if !self.old && !line.ends_with(b" HTTP/1.1") {
            return Err(Flaw::Malformed("request_line"));
        }
        // RFC 9112, 3.2: no target has a fragment, which the library would cut off, and `*` is for `OPTIONS` alone.
        let asterisk = line.len() > 11 && &line[line.len() - 11..line.len() - 9] == b" *";
        if memchr::memchr(b'#', line).is_some() || asterisk && !line.starts_with(b"OPTIONS ") {
            return Err(Flaw::Malformed("target"));
        }
        Ok(())
    }

    fn header_line(&mut self, line: &[u8]) -> Result<(), Flaw> {
        let value = |name: &str| {
            let (own, rest) = line.split_at_checked(name.len())?;
            let value = rest.strip_prefix(b":")?;
            own.eq_ignore_ascii_case(name.as_bytes())
                .then(|| value.trim_ascii())
        };
        match line[0] | 0x20 {
            b'c' => {
                if let Some(value) = value("content-length") {
                    return self.content_length(value);
                }
            }
            b't' => {
                if let Some(value) = value("transfer-encoding") {
                    if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                        return Err(Flaw::Malformed("transfer_encoding"));
                    }
                    self.chunked = true;
                }
            }
            b'h' if value("host").is_some() => self.hosts += 1,
            _ => {}
        }
        Ok(())
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), Flaw> {
        let digit = |number, byte: &u8| {
            byte.is_ascii_digit()
                .then(|| number * 10 + u64::from(byte - b'0'))
        };
        // Eighteen digits overflow nothing.
        let fits = (1..=18).contains(&value.len()) && self.length.is_none();
        self.length = fits.then(|| value.iter().try_fold(0, digit)).flatten();
        self.length
            .map(|_| ())
            .ok_or(Flaw::Malformed("content_length"))
    }

    fn whole(&self) -> Result<(), Flaw> {
        if self.chunked && (self.length.is_some() || self.old) {
            return Err(Flaw::Malformed("two_lengths"));
        }
        // RFC 9112, 3.2: a request of HTTP/1.1 names one host, and none names two.
        match self.hosts {
            1 => Ok(()),
            0 if self.old => Ok(()),
            _ => Err(Flaw::Malformed("host")),
        }
    }

    /// The body that follows the head.
    pub(super) fn body(&self) -> Body {
        match self.length {
            _ if self.chunked => Body::Chunks(Chunks::default()),
            None | Some(0) => Body::Done,
            Some(length) => Body::Length(length),
        }
    }
}

/// What is still to come of a body.
#[derive(Debug, Default)]
pub(super) enum Body {
    #[default]
    Done,
    Length(u64),
    Chunks(Chunks),
    /// Nobody knows where it ends.
    Broken(Flaw),
}

impl Body {
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// How many of these bytes belong to the body.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Flaw> {
        match self {
            Self::Done => Ok(0),
            Self::Length(left) => {
                let taken = bytes
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                if *left == 0 {
                    *self = Self::Done;
                }
                Ok(taken)
            }
            Self::Chunks(chunks) => {
                let taken = chunks.take(bytes);
                match taken {
                    Err(flaw) => *self = Self::Broken(flaw),
                    Ok(_) if chunks.at == At::End => *self = Self::Done,
                    Ok(_) => {}
                }
                taken
            }
            Self::Broken(flaw) => Err(*flaw),
        }
    }
}

/// The place in a chunked body (RFC 9112, 7.1).
#[derive(Debug, Default)]
pub(super) struct Chunks {
    at: At,
    /// The size that is being read, or the bytes of the chunk that are to come.
    left: u64,
    /// The length of the line that is being read; of all trailers.
    line: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum At {
    #[default]
    Size,
    Extension,
    SizeEnd,
    Data,
    DataEnd,
    DataLineFeed,
    /// At the beginning of a trailer line; within one; after its CR.
    TrailerStart,
    Trailer,
    TrailerEnd,
    LastEnd,
    End,
}

impl Chunks {
    fn take(&mut self, bytes: &[u8]) -> Result<usize, Flaw> {
        let mut taken = 0;
        while taken < bytes.len() && self.at != At::End {
            if self.at == At::Data {
                let here =
                    (bytes.len() - taken).min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= here as u64;
                taken += here;
                if self.left == 0 {
                    self.at = At::DataEnd;
                }
            } else {
                self.at = self.step(bytes[taken])?;
                taken += 1;
            }
        }
        Ok(taken)
    }

    fn step(&mut self, byte: u8) -> Result<At, Flaw> {
        self.line += 1;
        let too_long = match self.at {
            At::Size | At::Extension => self.line > MAX_CHUNK_LINE,
            At::TrailerStart | At::Trailer => self.line > MAX_TRAILERS,
            _ => false,
        };
        if too_long {
            return Err(Flaw::Malformed("chunk"));
        }
        match (self.at, byte) {
            (At::Size, byte) if byte.is_ascii_hexdigit() => {
                let digit = u64::from((byte as char).to_digit(16).unwrap_or(0));
                self.left = self
                    .left
                    .checked_mul(16)
                    .and_then(|size| size.checked_add(digit))
                    .filter(|size| *size <= MAX_CHUNK)
                    .ok_or(Flaw::Malformed("chunk"))?;
                Ok(At::Size)
            }
            (At::Size, b';' | b' ' | b'\t') if self.line > 1 => Ok(At::Extension),
            (At::Size, b'\r') if self.line > 1 => Ok(At::SizeEnd),
            (At::Extension, b'\r') => Ok(At::SizeEnd),
            (At::Extension, b'\t' | b' '..=b'~' | 0x80..) => Ok(At::Extension),
            (At::SizeEnd, b'\n') => {
                self.line = 0;
                Ok(if self.left == 0 {
                    At::TrailerStart
                } else {
                    At::Data
                })
            }
            (At::DataEnd, b'\r') => Ok(At::DataLineFeed),
            (At::DataLineFeed, b'\n') => {
                self.line = 0;
                Ok(At::Size)
            }
            (At::TrailerStart, b'\r') => Ok(At::LastEnd),
            (At::Trailer, b'\r') => Ok(At::TrailerEnd),
            (At::TrailerStart | At::Trailer, b'\t' | b' '..=b'~' | 0x80..) => Ok(At::Trailer),
            (At::TrailerEnd, b'\n') => Ok(At::TrailerStart),
            (At::LastEnd, b'\n') => Ok(At::End),
            _ => Err(Flaw::Malformed("chunk")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";

    #[test]
    fn finds_the_end_of_a_head_however_it_arrives() {
        for step in 1..HEAD.len() {
            let mut head = Head::default();
            let mut arrived = 0;
            let found = loop {
                arrived = (arrived + step).min(HEAD.len());
                if let Some(length) = head.scan(&HEAD[..arrived]).expect("well formed") {
                    break length;
                }
            };
            assert_eq!(found, HEAD.len(), "in steps of {step}");
            assert!(matches!(head.body(), Body::Length(5)));
        }
    }

    #[test]
    fn finds_the_end_of_a_chunked_body_however_it_arrives() {
        let body =
            b"5;a=b\r\nhello\r\n1F\r\n0123456789012345678901234567890\r\n0\r\nA: b\r\n\r\nGET ";
        for step in 1..body.len() {
            let (mut chunks, mut at) = (Body::Chunks(Chunks::default()), 0);
            while !chunks.is_done() {
                let piece = &body[at..(at + step).min(body.len())];
                at += chunks.take(piece).expect("well formed");
            }
            assert_eq!(&body[at..], b"GET ", "in steps of {step}");
        }
    }

    #[test]
    fn refuses_a_chunk_size_that_overflows() {
        for size in ["FFFFFFFFFFFFFFFFF", "-1", "+1", "0x1", "", " 1"] {
            let mut body = Body::Chunks(Chunks::default());
            assert!(
                body.take(format!("{size}\r\n").as_bytes()).is_err(),
                "{size}"
            );
        }
    }
}
