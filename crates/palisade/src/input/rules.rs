//! garde's rules, told by stable codes and in our words, at pointers in the names of the wire.

use std::borrow::Cow;
use std::fmt::Display;

use garde::i18n::{I18n, InvalidCreditCard, InvalidEmail, InvalidPhoneNumber, InvalidUrl, IpKind};

use super::reader::Reader;

/// Separates a code from its words; a rule of the app cannot show a computed text without it.
const MARK: char = '\u{1f}';

/// The error of a custom garde rule: a code for programs and a text for people, both literals.
///
/// # Example
/// ```
/// fn even(number: &u8, _: &()) -> garde::Result {
///     if number % 2 == 0 { Ok(()) } else { Err(palisade::input::broken("odd", "must be even")) }
/// }
/// # assert!(even(&3, &()).is_err());
/// ```
///
/// # Security
/// A text that was made otherwise (`garde::Error::new(format!(…))`) is not shown, since it may hold the value.
pub fn broken(code: &'static str, detail: &'static str) -> garde::Error {
    garde::Error::new(format!("{code}{MARK}{detail}"))
}

/// Checks the garde rules of `value`; `wire` maps its fields' names to those of the wire.
#[doc(hidden)]
pub fn check_rules<T>(value: &T, wire: &[(&str, &str)], reader: &mut Reader) -> Option<()>
where
    T: garde::Validate<Context = ()>,
{
    let Err(report) = garde::i18n::with_i18n(Codes, || value.validate()) else {
        return Some(());
    };
    for (path, error) in report.iter() {
        let said = error.message();
        let (code, detail) = match said.split_once(MARK) {
            Some((code, detail)) => (code.to_owned(), detail.to_owned()),
            None => ("invalid".to_owned(), "breaks a rule".to_owned()),
        };
        reader.refuse_at::<()>(pointer(&path.to_string(), wire), code, detail);
    }
    None
}

/// `tags[0].name` as `/tags/0/name`.
fn pointer(path: &str, wire: &[(&str, &str)]) -> String {
    let mut steps = path
        .split(['.', '['])
        .map(|step| step.trim_end_matches(']'))
        .filter(|step| !step.is_empty());
    let Some(first) = steps.next() else {
        return String::new();
    };
    let first = wire
        .iter()
        .find(|(field, _)| *field == first)
        .map_or(first, |(_, name)| name);
    std::iter::once(first)
        .chain(steps)
        .map(|step| format!("/{step}"))
        .collect()
}

struct Codes;

fn say(code: &str, words: impl Display) -> Cow<'static, str> {
    format!("{code}{MARK}{words}").into()
}

impl I18n for Codes {
    fn length_lower_than(&self, min: usize) -> Cow<'static, str> {
        say("too_short", format_args!("must be at least {min} long"))
    }
    fn length_greater_than(&self, max: usize) -> Cow<'static, str> {
        say("too_long", format_args!("must be at most {max} long"))
    }
    fn range_lower_than(&self, min: &dyn Display) -> Cow<'static, str> {
        say("range", format_args!("must be at least {min}"))
    }
    fn range_greater_than(&self, max: &dyn Display) -> Cow<'static, str> {
        say("range", format_args!("must be at most {max}"))
    }
    fn credit_card_invalid(&self, _: InvalidCreditCard) -> Cow<'static, str> {
        say("credit_card", "must be a credit card number")
    }
    fn pattern_no_match(&self, _: &dyn Display) -> Cow<'static, str> {
        say("pattern", "does not have the expected form")
    }
    fn contains_missing(&self, _: &dyn Display) -> Cow<'static, str> {
        say("contains", "lacks a part that it must have")
    }
    fn url_invalid(&self, _: InvalidUrl) -> Cow<'static, str> {
        say("url", "must be a URL")
    }
    fn prefix_missing(&self, _: &dyn Display) -> Cow<'static, str> {
        say("prefix", "does not begin as it must")
    }
    fn suffix_missing(&self, _: &dyn Display) -> Cow<'static, str> {
        say("suffix", "does not end as it must")
    }
    fn phone_number_invalid(&self, _: InvalidPhoneNumber) -> Cow<'static, str> {
        say("phone_number", "must be a phone number")
    }
    fn ip_invalid(&self, _: IpKind) -> Cow<'static, str> {
        say("ip", "must be an IP address")
    }
    fn matches_field_mismatch(&self, field: &dyn Display) -> Cow<'static, str> {
        say("mismatch", format_args!("must be the same as {field}"))
    }
    fn email_invalid(&self, _: InvalidEmail) -> Cow<'static, str> {
        say("email", "must be an e-mail address")
    }
    fn ascii_invalid(&self) -> Cow<'static, str> {
        say("ascii", "must be ASCII")
    }
    fn alphanumeric_invalid(&self) -> Cow<'static, str> {
        say("alphanumeric", "must be letters and digits")
    }
    fn required_not_set(&self) -> Cow<'static, str> {
        say("required", "is required")
    }
}

#[cfg(test)]
mod tests {
    use super::pointer;

    #[test]
    fn turns_paths_into_pointers_in_the_names_of_the_wire() {
        let wire = [("due_date", "dueDate")];
        assert_eq!(pointer("due_date", &wire), "/dueDate");
        assert_eq!(pointer("tags[0].name", &wire), "/tags/0/name");
        assert_eq!(pointer("", &wire), "");
    }
}
