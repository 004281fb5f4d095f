//! A user's source file: places are found by a parser, and text is put in or taken out there, so that every other byte stays.

use std::ops::Range;

use syn::spanned::Spanned;

use crate::Failure;

pub(crate) struct Source {
    name: String,
    text: String,
    /// Bytes before what the parser saw: a byte order mark.
    offset: usize,
    pub(crate) file: syn::File,
}

/// What is put in or taken out, at bytes of the text.
pub(crate) struct Edit {
    at: Range<usize>,
    text: String,
}

impl Source {
    /// Parses the file of this name.
    pub(crate) fn read(name: &str, text: String) -> Result<Self, Failure> {
        let code = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let file = syn::parse_str::<syn::File>(code).map_err(|error| {
            let place = error.span().start();
            Failure::other(format!(
                "`{name}` cannot be read as Rust: {error} (line {}). Mend it first; nothing was written.",
                place.line
            ))
        })?;
        Ok(Self {
            name: name.to_owned(),
            offset: text.len() - code.len(),
            text,
            file,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of something that was parsed.
    pub(crate) fn bytes(&self, of: &impl Spanned) -> Range<usize> {
        let range = of.span().byte_range();
        range.start + self.offset..range.end + self.offset
    }

    /// The text with all edits made.
    pub(crate) fn with(&self, mut edits: Vec<Edit>) -> String {
        edits.sort_by_key(|edit| edit.at.start);
        let mut text = self.text.clone();
        for edit in edits.iter().rev() {
            text.replace_range(edit.at.clone(), &edit.text);
        }
        text
    }

    /// The file's own end of a line.
    pub(crate) fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        }
    }

    pub(crate) fn insert(&self, at: usize, text: String) -> Edit {
        let text = text.replace('\n', self.newline());
        Edit { at: at..at, text }
    }

    /// A new line after the one that `at` stands in; directly at `at` when more code follows there.
    pub(crate) fn insert_line_after(&self, at: usize, line: &str) -> Edit {
        let rest = &self.text[at..];
        let end = rest.find('\n').unwrap_or(rest.len());
        let rest = rest[..end].trim();
        let at = if rest.is_empty() || rest.starts_with("//") {
            let end = at + end;
            end - usize::from(self.text[..end].ends_with('\r'))
        } else {
            at
        };
        self.insert(at, format!("\n{line}"))
    }

    /// Takes these bytes out, and their lines when nothing else stands in them.
    pub(crate) fn remove(&self, at: Range<usize>) -> Edit {
        let start = self.text[..at.start].rfind('\n').map_or(0, |end| end + 1);
        let end = self.text[at.end..]
            .find('\n')
            .map_or(self.text.len(), |end| at.end + end + 1);
        let alone = self.text[start..at.start].trim().is_empty()
            && self.text[at.end..end].trim().is_empty();
        Edit {
            at: if alone { start..end } else { at },
            text: String::new(),
        }
    }

    /// The blanks before `at`, when nothing else stands before it in its line.
    pub(crate) fn indent(&self, at: usize) -> Option<&str> {
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = &self.text[start..at];
        before.trim().is_empty().then_some(before)
    }

    /// The line, counted from one.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// The start of the comment lines directly above what begins at `at`, or `at`.
    fn above_comments(&self, at: usize) -> usize {
        let mut start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        if self.indent(at).is_none() {
            return at;
        }
        loop {
            let before = &self.text[..start];
            let Some(line) = before.strip_suffix('\n') else {
                return start;
            };
            let above = line.rfind('\n').map_or(0, |end| end + 1);
            let line = line[above..].trim();
            if !line.starts_with("//") || line.starts_with("//!") {
                return start;
            }
            start = above;
        }
    }

    /// The `mod name;` of this file.
    pub(crate) fn module(&self, name: &str) -> Option<&syn::ItemMod> {
        self.modules()
            .into_iter()
            .find(|module| module.ident == name)
    }

    fn modules(&self) -> Vec<&syn::ItemMod> {
        let modules = self.file.items.iter().filter_map(|item| match item {
            syn::Item::Mod(module) => Some(module),
            _ => None,
        });
        modules.collect()
    }

    /// Adds `mod name;` in its place by the alphabet; nothing when it is there.
    ///
    /// # Errors
    /// When a module of this name stands in the file itself.
    pub(crate) fn declare(&self, name: &str) -> Result<Option<Edit>, Failure> {
        if let Some(there) = self.module(name) {
            return match there.content {
                None => Ok(None),
                Some(_) => Err(Failure::other(format!(
                    "`{}` has a module `{name}` of its own in line {}: choose another name, or say `--plural`. Nothing was written.",
                    self.name,
                    self.line(self.bytes(there).start)
                ))),
            };
        }
        let declared: Vec<_> = self
            .modules()
            .into_iter()
            .filter(|module| module.content.is_none())
            .collect();
        let line = format!("mod {name};");
        let before = declared
            .iter()
            .rev()
            .find(|module| module.ident.to_string().as_str() < name);
        let edit = match (before, declared.first(), self.file.items.first()) {
            (Some(before), ..) => self.insert_line_after(self.bytes(*before).end, &line),
            (None, Some(after), _) => {
                let at = self.above_comments(self.bytes(*after).start);
                self.insert(at, format!("{line}\n"))
            }
            (None, None, Some(item)) => {
                let at = self.above_comments(self.bytes(item).start);
                self.insert(at, format!("{line}\n\n"))
            }
            (None, None, None) => self.insert(self.text.len(), format!("{line}\n")),
        };
        Ok(Some(edit))
    }

    /// Takes `mod name;` out; nothing when it is not there, or not as it was put in.
    pub(crate) fn undeclare(&self, name: &str) -> Option<Edit> {
        let module = self.module(name)?;
        let plain = module.attrs.is_empty() && module.content.is_none();
        plain.then(|| self.remove(self.bytes(module)))
    }
}
