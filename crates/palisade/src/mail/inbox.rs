//! The inbox of development: mail goes to the terminal and to a page of this machine, and nowhere else.

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;

use super::{Mail, Mailer, Sending};

/// Mails that are kept.
const MOST: usize = 50;
const RULE: &str = "------------------------------------------------------------------------";

/// Shows mail to the developer, and keeps the newest.
///
/// # Security
/// It shows tokens. It is made in development alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inbox(Arc<Mutex<VecDeque<(OffsetDateTime, Mail)>>>);

impl Inbox {
    /// Every mail that is kept, the newest first, as plain text.
    pub(crate) fn text(&self) -> String {
        let mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.is_empty() {
            return "No mail was sent since this service started.\n".to_owned();
        }
        let shown = mails.iter().rev();
        shown.map(|(at, mail)| block(*at, mail)).collect()
    }
}

impl Mailer for Inbox {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        let now = OffsetDateTime::now_utc();
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.len() == MOST {
            mails.pop_front();
        }
        mails.push_back((now, mail.clone()));
        drop(mails);
        tracing::info!("a mail went to nobody but this machine: GET /dev/inbox shows it");
        let mut output = std::io::stdout();
        // A file or a pipe is no place for tokens.
        if output.is_terminal() {
            // In one piece, so that no line of the log comes between.
            let _ = output.write_all(block(now, mail).as_bytes());
        }
        Box::pin(async { Ok(()) })
    }
}

fn block(at: OffsetDateTime, mail: &Mail) -> String {
    let (hour, minute, second) = at.to_hms();
    let (to, subject, body) = (mail.to(), mail.subject(), mail.body().trim_end());
    format!(
        "{RULE}\nA mail, {hour:02}:{minute:02}:{second:02} UTC\nTo: {to}\nSubject: {subject}\n\n{body}\n{RULE}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Email;
    use crate::mail::Letter;

    #[tokio::test]
    async fn keeps_the_newest_fifty() {
        let inbox = Inbox::default();
        assert!(inbox.text().starts_with("No mail"));
        for number in 0..60 {
            let to = Email::parse("ann@example.org").unwrap();
            let mail = Mail::new(to, Letter::new(format!("number {number}!"), "text"));
            inbox.send(&mail).await.unwrap();
        }
        let text = inbox.text();
        assert_eq!(text.matches("Subject: ").count(), MOST);
        assert!(text.contains("number 59!") && !text.contains("number 9!"));
        assert!(text.find("number 59!") < text.find("number 58!"));
    }
}
