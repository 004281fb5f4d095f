//! How one line looks: JSON for programs, text for people.

use std::cell::RefCell;
use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use crate::event::RequestContext;

/// One answered request. Deliberately without query, headers and body.
pub(crate) struct Access<'a> {
    pub(crate) context: &'a RequestContext,
    pub(crate) method: &'a str,
    pub(crate) status: u16,
    pub(crate) took: Duration,
    /// Bytes of the answer's body, when they are known before it is sent.
    pub(crate) bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Lines(pub(super) LogFormat);

/// Members of a JSON line that are ours; a field of an app with such a name is told apart by `app.`.
const OURS: [&str; 9] = [
    "time",
    "level",
    "target",
    "spans",
    "request_id",
    "trace_id",
    "client",
    "actor",
    "api_key",
];

impl Lines {
    pub(super) fn access(self, access: &Access<'_>, write: impl FnOnce(&[u8])) {
        thread_local! {
            static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        BUFFER.with(|buffer| {
            let Ok(mut line) = buffer.try_borrow_mut() else {
                return;
            };
            line.clear();
            match self.0 {
                LogFormat::Json => json_access(&mut line, access),
                LogFormat::Text { colour } => text_access(&mut line, access, colour),
            }
            write(&line);
        });
    }

    pub(super) fn dropped(self, count: u64) -> Vec<u8> {
        let mut line = Vec::new();
        match self.0 {
            LogFormat::Json => {
                begin(&mut line, "WARN", "palisade::log");
                let _ = writeln!(
                    line,
                    ",\"message\":\"lines were dropped\",\"count\":{count}}}"
                );
            }
            LogFormat::Text { .. } => {
                let _ = writeln!(line, "WARN palisade::log: lines were dropped count={count}");
            }
        }
        line
    }
}

/// The line of every request: what is always the same in it is written in few and long pieces.
fn json_access(line: &mut Vec<u8>, access: &Access<'_>) {
    push(line, "{\"time\":\"");
    line.extend_from_slice(&Clock::now().0);
    push(
        line,
        "\",\"level\":\"INFO\",\"target\":\"palisade::access\",\"method\":\"",
    );
    push(line, access.method);
    push(line, "\",\"route\":");
    text(line, access.context.route().unwrap_or_default());
    push(line, ",\"status\":");
    number(line, access.status.into());
    push(line, ",\"micros\":");
    number(line, access.took.as_micros() as u64);
    if let Some(bytes) = access.bytes {
        push(line, ",\"bytes\":");
        number(line, bytes);
    }
    context(line, access.context);
    push(line, "}\n");
}

fn text_access(line: &mut Vec<u8>, access: &Access<'_>, colour: bool) {
    let (on, off) = match (colour, access.status / 100) {
        (false, _) => ("", ""),
        (true, 5) => ("\x1b[31m", "\x1b[0m"),
        (true, 4) => ("\x1b[33m", "\x1b[0m"),
        (true, _) => ("\x1b[32m", "\x1b[0m"),
    };
    let clock = Clock::now();
    let millis = access.took.as_micros() as f64 / 1000.0;
    let _ = writeln!(
        line,
        "{} {on}{}{off} {} {} {millis:.1} ms",
        clock.time_of_day(),
        access.status,
        access.method,
        access.context.route().unwrap_or("-"),
    );
}

/// `{"time":…,"level":…,"target":…`, left open.
fn begin(line: &mut Vec<u8>, level: &str, target: &str) {
    push(line, "{\"time\":\"");
    line.extend_from_slice(&Clock::now().0);
    push(line, "\",\"level\":\"");
    push(line, level);
    push(line, "\",\"target\":");
    text(line, target);
}

/// What every line of a request carries.
fn context(line: &mut Vec<u8>, context: &RequestContext) {
    push(line, ",\"client\":\"");
    match context.client() {
        // Formatting machinery costs more than all the rest of the line.
        std::net::IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    line.push(b'.');
                }
                number(line, octet.into());
            }
        }
        address => {
            let _ = write!(line, "{address}");
        }
    }
    if let Some(account) = context.account() {
        let _ = write!(line, "\",\"actor\":\"{}", account.hyphenated());
    }
    if let Some(key) = context.api_key() {
        let _ = write!(line, "\",\"api_key\":\"{}", key.hyphenated());
    }
    // The id's alphabet needs no escape.
    push(line, "\",\"request_id\":\"");
    line.extend_from_slice(context.id().as_bytes());
    if let Some(trace) = context.trace() {
        push(line, "\",\"trace_id\":\"");
        push(line, trace.trace_id());
    }
    line.push(b'"');
}

fn push(line: &mut Vec<u8>, text: &str) {
    line.extend_from_slice(text.as_bytes());
}

fn number(line: &mut Vec<u8>, value: u64) {
    push(line, itoa::Buffer::new().format(value));
}

/// A JSON string; one line stays one line, whatever stands in it (CWE-117).
fn text(line: &mut Vec<u8>, value: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\' && byte != 0x7f;
    if value.bytes().all(plain) {
        line.push(b'"');
        push(line, value);
        line.push(b'"');
    } else {
        push(line, &serde_json::to_string(value).unwrap_or_default());
    }
}

/// `2026-11-24T20:19:00.123Z`; the date is worked out once a second.
struct Clock([u8; 24]);

impl Clock {
    fn now() -> Self {
        thread_local! {
            static LAST: RefCell<(u64, [u8; 24])> = const { RefCell::new((0, [0; 24])) };
        }
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let (second, millis) = (since.as_secs(), since.subsec_millis());
        LAST.with(|last| {
            let mut last = last.borrow_mut();
            if last.0 != second || second == 0 {
                let date = OffsetDateTime::from_unix_timestamp(second as i64)
                    .unwrap_or(OffsetDateTime::UNIX_EPOCH);
                let text = format!(
                    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z",
                    date.year(),
                    u8::from(date.month()),
                    date.day(),
                    date.hour(),
                    date.minute(),
                    date.second()
                );
                let mut bytes = [b' '; 24];
                let length = text.len().min(24);
                bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
                *last = (second, bytes);
            }
            let mut text = last.1;
            text[20] = b'0' + (millis / 100) as u8;
            text[21] = b'0' + (millis / 10 % 10) as u8;
            text[22] = b'0' + (millis % 10) as u8;
            Self(text)
        })
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn time_of_day(&self) -> &str {
        self.as_str().get(11..23).unwrap_or_default()
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match self.0 {
            LogFormat::Json => json_event(ctx, writer, event),
            LogFormat::Text { .. } => text_event(ctx, writer, event),
        }
    }
}

fn json_event<S, N>(
    ctx: &FmtContext<'_, S, N>,
    mut writer: Writer<'_>,
    event: &Event<'_>,
) -> fmt::Result
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let mut line = Vec::with_capacity(256);
    let metadata = event.metadata();
    begin(&mut line, metadata.level().as_str(), metadata.target());
    event.record(&mut JsonFields(&mut line));
    let mut spans = ctx
        .event_scope()
        .into_iter()
        .flat_map(|scope| scope.from_root())
        .peekable();
    if spans.peek().is_some() {
        push(&mut line, ",\"spans\":[");
        for (at, span) in spans.enumerate() {
            push(
                &mut line,
                if at == 0 { "{\"name\":" } else { ",{\"name\":" },
            );
            text(&mut line, span.name());
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && !fields.is_empty()
            {
                let _ = write!(line, ",\"fields\":{fields}");
            }
            line.push(b'}');
        }
        line.push(b']');
    }
    RequestContext::with_current(|current| {
        if let Some(current) = current {
            context(&mut line, current);
        }
    });
    push(&mut line, "}\n");
    writer.write_str(std::str::from_utf8(&line).map_err(|_| fmt::Error)?)
}

fn text_event<S, N>(
    ctx: &FmtContext<'_, S, N>,
    mut writer: Writer<'_>,
    event: &Event<'_>,
) -> fmt::Result
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let level = *event.metadata().level();
    let colour = match (writer.has_ansi_escapes(), level) {
        (false, _) => ("", ""),
        (true, Level::ERROR) => ("\x1b[31m", "\x1b[0m"),
        (true, Level::WARN) => ("\x1b[33m", "\x1b[0m"),
        (true, _) => ("\x1b[2m", "\x1b[0m"),
    };
    write!(
        writer,
        "{} {}{:<5}{} {}: ",
        Clock::now().time_of_day(),
        colour.0,
        level.as_str(),
        colour.1,
        event.metadata().target()
    )?;
    ctx.field_format().format_fields(writer.by_ref(), event)?;
    RequestContext::with_current(|current| match current {
        Some(current) => write!(writer, " request_id={}", current.id().as_str()),
        None => Ok(()),
    })?;
    writer.write_char('\n')
}

/// Writes the fields of an event as members of the line.
struct JsonFields<'a>(&'a mut Vec<u8>);

impl JsonFields<'_> {
    fn name(&mut self, field: &Field) {
        push(self.0, ",\"");
        if OURS.contains(&field.name()) {
            push(self.0, "app.");
        }
        push(self.0, field.name());
        push(self.0, "\":");
    }
}

impl Visit for JsonFields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        text(self.0, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field);
        let _ = write!(self.0, "{value}");
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.name(field);
        let _ = write!(self.0, "{value}");
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        let _ = write!(self.0, "{value}");
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.name(field);
        push(self.0, &serde_json::to_string(&value).unwrap_or_default());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field);
        text(self.0, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_whatever_could_end_a_line_or_a_string() {
        let mut line = Vec::new();
        text(&mut line, "a\"b\\c\nd\u{7f}\u{1b}[31m");
        assert!(!line.contains(&b'\n') && !line.contains(&0x1b));
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value, "a\"b\\c\nd\u{7f}\u{1b}[31m");
    }

    #[test]
    fn writes_a_request_as_one_object_without_anything_that_a_client_wrote() {
        let context = RequestContext::of_nobody();
        context.set_route("/notes/{note}", 0, None);
        let access = Access {
            context: &context,
            method: "GET",
            status: 200,
            took: Duration::from_micros(1500),
            bytes: Some(7),
        };
        let mut line = Vec::new();
        Lines(LogFormat::Json).access(&access, |bytes| line.extend_from_slice(bytes));
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["route"], "/notes/{note}");
        assert_eq!(
            (&value["status"], &value["micros"], &value["bytes"]),
            (&200.into(), &1500.into(), &7.into())
        );
        assert_eq!(value["request_id"], context.id().as_str());
        let time = value["time"].as_str().unwrap();
        assert!(
            OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339).is_ok(),
            "{time}"
        );
    }
}
