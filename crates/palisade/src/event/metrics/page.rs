//! The text that Prometheus reads: the exposition format, version 0.0.4.

use std::fmt::{Display, Write as _};

/// One page of metrics, family by family.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

/// The values of one metric.
pub(crate) struct Family<'a> {
    page: &'a mut String,
    name: &'static str,
}

impl Page {
    /// What only grows; its name ends in `_total`.
    pub(crate) fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// What goes up and down.
    pub(crate) fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    pub(super) fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "histogram", help)
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family {
            page: &mut self.0,
            name,
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl Family<'_> {
    pub(crate) fn value(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.part("", labels, value);
    }

    /// The one value of a metric without labels, when it is known.
    pub(super) fn known(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.value(&[], value);
        }
    }

    pub(super) fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        self.page.push_str(self.name);
        self.page.push_str(suffix);
        for (number, (name, value)) in labels.iter().enumerate() {
            self.page.push(if number == 0 { '{' } else { ',' });
            self.page.push_str(name);
            self.page.push_str("=\"");
            value.chars().for_each(|letter| escape(self.page, letter));
            self.page.push('"');
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.page, "{end} {value}");
    }
}

fn escape(page: &mut String, letter: char) {
    match letter {
        '\\' => page.push_str("\\\\"),
        '"' => page.push_str("\\\""),
        '\n' => page.push_str("\\n"),
        letter => page.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_would_end_a_label() {
        let mut page = Page::default();
        page.gauge("size", "How large.")
            .value(&[("of", "a\"b\\c\nd"), ("in", "é")], 0.5);
        let expected = "# HELP size How large.\n# TYPE size gauge\nsize{of=\"a\\\"b\\\\c\\nd\",in=\"é\"} 0.5\n";
        assert_eq!(page.into_text(), expected);
    }
}
