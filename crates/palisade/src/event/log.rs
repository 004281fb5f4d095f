//! The log: lines are put together by whoever has something to say, and written by a thread of their own, so that a slow disk or a
//! full pipe never holds a request.

mod line;
mod sink;

use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{DefaultFields, JsonFields};
use tracing_subscriber::layer::SubscriberExt as _;

use line::Lines;
use sink::Sink;

pub(crate) use line::Access;

/// The process has one log: its standard output.
static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    sink: Sink,
    lines: Lines,
}

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a person at a terminal.
    Text {
        /// Whether the terminal shows colour.
        colour: bool,
    },
}

/// Starts the log of this process on standard output; `filter` is what `tracing_subscriber::EnvFilter` reads.
///
/// Security events pass every filter. A second call changes nothing: the process has one log.
pub fn start_log(format: LogFormat, filter: &str) {
    let lines = Lines(format);
    let mut first = false;
    let log = LOG.get_or_init(|| {
        first = true;
        let sink = Sink::start(std::io::stdout(), move |dropped| lines.dropped(dropped));
        Log { sink, lines }
    });
    if !first {
        return;
    }
    // A panic becomes one line under its request's id, with its place; the client learns of neither.
    // In production without its text, which may quote what a client sent.
    std::panic::set_hook(Box::new(move |panic| {
        let location = panic.location().map(ToString::to_string);
        let message = match format {
            LogFormat::Json => "a handler panicked",
            LogFormat::Text { .. } => panic.payload_as_str().unwrap_or_default(),
        };
        tracing::error!(target: "palisade::panic", location, "{message}");
    }));
    let filter = EnvFilter::new(format!("{filter},palisade::event=info"));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(matches!(format, LogFormat::Text { colour: true }))
        .event_format(log.lines);
    // A program that has set a subscriber of its own keeps it. What is said through the crate `log` is not taken over: there a
    // parser tells every word of a text that it cleans.
    let _ = match format {
        LogFormat::Json => tracing::subscriber::set_global_default(
            registry.with(layer.fmt_fields(JsonFields::new()).with_writer(Output)),
        ),
        LogFormat::Text { .. } => tracing::subscriber::set_global_default(
            registry.with(layer.fmt_fields(DefaultFields::new()).with_writer(Output)),
        ),
    };
}

/// Writes what is still waiting, for two seconds at most; called before the process ends.
pub fn flush_log() {
    if let Some(log) = LOG.get() {
        log.sink.flush();
    }
}

/// Lines that were dropped, because what reads the log did not keep up.
pub fn dropped_lines() -> u64 {
    LOG.get().map_or(0, |log| log.sink.dropped())
}

/// Says that a request was answered.
pub(crate) fn access(access: &Access<'_>) {
    if let Some(log) = LOG.get()
        && tracing::enabled!(target: "palisade::access", tracing::Level::INFO)
    {
        log.lines
            .access(access, |line| log.sink.write(line, sink::Urgency::Soon));
    }
}

/// Where `tracing` writes its lines.
struct Output;

struct OutputLine(sink::Urgency);

impl std::io::Write for OutputLine {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        if let Some(log) = LOG.get() {
            log.sink.write(line, self.0);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = OutputLine;

    fn make_writer(&'a self) -> OutputLine {
        OutputLine(sink::Urgency::Now)
    }

    fn make_writer_for(&'a self, meta: &tracing::Metadata<'_>) -> OutputLine {
        let urgent = *meta.level() <= tracing::Level::WARN || meta.target() == "palisade::event";
        OutputLine(if urgent {
            sink::Urgency::Now
        } else {
            sink::Urgency::Soon
        })
    }
}
