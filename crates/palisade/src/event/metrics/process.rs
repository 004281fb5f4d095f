//! What the system says of this process, under the names that Prometheus' own libraries use; where it says nothing, no value stands.

use std::fs;
use std::time::SystemTime;

use super::page::Page;

/// `USER_HZ`: the unit of times in `/proc`, 100 on every Linux that Rust knows, whatever the kernel's own clock.
const TICKS: f64 = 100.0;

pub(super) fn write(page: &mut Page, started: Option<SystemTime>) {
    let status = read("status");
    let kilobytes = |name| {
        let kilobytes: u64 = field(&status, name)?.parse().ok()?;
        Some((kilobytes * 1024) as f64)
    };
    let since = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(since.as_secs_f64())
    };
    page.counter(
        "process_cpu_seconds_total",
        "Time of the processor that this process took.",
    )
    .known(cpu(&read("stat")));
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Memory that this process holds.",
            kilobytes("VmRSS:"),
        ),
        (
            "process_start_time_seconds",
            "When this process began, in seconds of Unix time.",
            started.and_then(since),
        ),
        (
            "process_threads",
            "Threads of this process.",
            field(&status, "Threads:").and_then(|count| count.parse().ok()),
        ),
        (
            "process_open_fds",
            "Files and sockets that are open.",
            open_files(),
        ),
        (
            "process_max_fds",
            "Files and sockets that may be open.",
            most_open_files().map(|most| most as f64),
        ),
    ] {
        page.gauge(name, help).known(value);
    }
}

/// Files and sockets that this process may have open, where the system tells and there is a limit.
pub(crate) fn most_open_files() -> Option<u64> {
    field(&read("limits"), "Max open files").and_then(|most| most.parse().ok())
}

fn read(file: &str) -> String {
    fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default()
}

/// The first word behind this name.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()
}

/// User and system time: the 14th and 15th field; the second is a name in parentheses that may hold anything.
fn cpu(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11).map(str::parse::<f64>);
    Some((times.next()?.ok()? + times.next()?.ok()?) / TICKS)
}

fn open_files() -> Option<f64> {
    let files = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the folder that was just read.
    Some(files.saturating_sub(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_behind_a_name_that_looks_like_fields() {
        let stat = "17 (a) b) S 1 17 17 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 100 1000 10";
        assert_eq!(cpu(stat), Some(3.0));
        assert_eq!(cpu(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn tells_what_linux_tells() {
        let mut page = Page::default();
        write(&mut page, Some(SystemTime::now()));
        let page = page.into_text();
        let value = |name: &str| -> f64 {
            let line = page.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().parse().unwrap()
        };
        let files: Vec<_> = (0..50).map(|_| fs::File::open("/proc/self/stat")).collect();
        assert!(open_files().unwrap() >= files.len() as f64);
        assert!(value("process_resident_memory_bytes ") > 1e6);
        assert!(value("process_start_time_seconds ") > 1.7e9);
        assert!(value("process_threads ") >= 1.0);
        assert!(value("process_max_fds ") >= value("process_open_fds "));
        assert!(value("process_cpu_seconds_total ") >= 0.0);
    }
}
