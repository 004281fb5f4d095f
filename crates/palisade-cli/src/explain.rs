//! `palisade explain P0201`: the page of a compile error.

use std::process::ExitCode;

use anstyle::Style;
use include_dir::{Dir, include_dir};

use crate::{Failure, say};

static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../docs/errors");

pub(crate) fn explain(code: &str) -> Result<ExitCode, Failure> {
    let code = code.trim().to_ascii_uppercase();
    let Some(number) = number(&code) else {
        return Err(Failure::usage(format!(
            "`{code}` is not a code; they look like `P0201`."
        )));
    };
    if let Some(page) = PAGES
        .get_file(format!("{code}.md"))
        .and_then(|file| file.contents_utf8())
    {
        say(&shown(page));
        return Ok(ExitCode::SUCCESS);
    }
    let known = PAGES
        .files()
        .filter_map(|file| file.path().file_stem()?.to_str());
    let nearest = known
        .min_by_key(|known| self::number(known).map_or(u32::MAX, |known| known.abs_diff(number)));
    Err(Failure::other(match nearest {
        Some(nearest) => format!("There is no code `{code}`; the nearest is `{nearest}`."),
        None => format!("There is no code `{code}`."),
    }))
}

fn number(code: &str) -> Option<u32> {
    let digits = code.strip_prefix('P')?;
    let plain = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

/// Headings bold, the marks of code blocks gone, code indented.
fn shown(page: &str) -> String {
    let bold = Style::new().bold();
    let mut text = String::new();
    let mut code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            code = !code;
        } else if code && !line.is_empty() {
            text += &format!("    {line}\n");
        } else if let Some(heading) = line
            .strip_prefix("# ")
            .or_else(|| line.strip_prefix("## "))
            .filter(|_| !code)
        {
            text += &format!("{bold}{heading}{bold:#}\n");
        } else {
            text += &format!("{line}\n");
        }
    }
    text
}
