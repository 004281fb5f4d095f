//! A module of the service that items are added to.

use quote::ToTokens as _;
use syn::Item;
use syn::spanned::Spanned as _;

use super::app::App;
use super::plan::Plan;
use super::resource::MAIN;
use super::service::Service;
use super::source::{Edit, Source};
use super::words::not_snake;
use crate::Failure;

pub(super) struct Module {
    pub(super) source: Source,
}

impl Module {
    /// The module of this name, when its file is there.
    pub(super) fn find(service: &Service, name: &str) -> Result<Option<Self>, Failure> {
        if let Some(wrong) = not_snake(name) {
            return Err(Failure::usage(format!(
                "`{name}` cannot be a module's name: {wrong}."
            )));
        }
        let file = format!("src/{name}.rs");
        let text = service.read(&file)?;
        let source = text.map(|text| Source::read(&file, text)).transpose()?;
        Ok(source.map(|source| Self { source }))
    }

    /// The module of this name, which must be there.
    pub(super) fn needed(service: &Service, name: &str) -> Result<Self, Failure> {
        Self::find(service, name)?.ok_or_else(|| {
            Failure::usage(format!(
                "There is no `src/{name}.rs`: name another module with `--in`."
            ))
        })
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.source.file.items
    }

    /// The end of the last item that `wanted` finds, or of the imports.
    pub(super) fn after(&self, wanted: impl Fn(&Item) -> bool) -> usize {
        let last =
            |wanted: &dyn Fn(&Item) -> bool| self.items().iter().rev().find(|item| wanted(item));
        let item =
            last(&wanted).or_else(|| last(&|item| matches!(item, Item::Use(_) | Item::Mod(_))));
        item.map_or(0, |item| self.source.bytes(item).end)
    }

    /// Adds those of these items that are not there, at the end of an item.
    ///
    /// # Errors
    /// When something else has the name of one.
    pub(super) fn add(&self, text: &str, at: usize) -> Result<Option<Edit>, Failure> {
        let new = Source::read("what is generated", text.to_owned())?;
        let mut lacking = Vec::new();
        for item in &new.file.items {
            let same = |other: &&Item| {
                other.to_token_stream().to_string() == item.to_token_stream().to_string()
            };
            if self.items().iter().any(|other| same(&other)) {
                continue;
            }
            let named = |other: &&Item| name(other).is_some() && name(other) == name(item);
            if let Some(other) = self.items().iter().find(named) {
                return Err(Failure::other(format!(
                    "`{}` has {} already that says something else (line {}): choose another name. Nothing was written.",
                    self.source.name(),
                    name(item).unwrap_or_default(),
                    self.source.line(self.source.bytes(&other.span()).start)
                )));
            }
            lacking.push(text[new.bytes(item)].to_owned());
        }
        if lacking.is_empty() {
            return Ok(None);
        }
        let text = lacking.join("\n\n");
        Ok(Some(if at == 0 {
            self.source
                .insert(self.source.text().len(), format!("\n{text}\n"))
        } else {
            self.source.insert_line_after(at, &format!("\n{text}"))
        }))
    }

    /// Puts the edits of this module into the plan.
    pub(super) fn change(&self, plan: &mut Plan, edits: impl IntoIterator<Item = Option<Edit>>) {
        let before = self.source.text().to_owned();
        let after = self.source.with(edits.into_iter().flatten().collect());
        plan.change(self.source.name(), before, after);
    }
}

/// What two items cannot share.
fn name(item: &Item) -> Option<String> {
    match item {
        Item::Fn(item) => Some(format!("a function `{}`", item.sig.ident)),
        Item::Struct(item) => Some(format!("a type `{}`", item.ident)),
        Item::Enum(item) => Some(format!("a type `{}`", item.ident)),
        Item::Type(item) => Some(format!("a type `{}`", item.ident)),
        Item::Impl(item) => {
            let (path, _) = item.trait_.as_ref()?;
            let of = format!(
                "{} for {}",
                path.to_token_stream(),
                item.self_ty.to_token_stream()
            );
            Some(format!(
                "an `impl {}`",
                of.replace(' ', "").replace("for", " for ")
            ))
        }
        _ => None,
    }
}

/// Names a module in `src/main.rs`, and adds calls to the app there.
pub(super) fn register(
    service: &Service,
    plan: &mut Plan,
    module: &str,
    calls: impl FnOnce(&App<'_>) -> Vec<Option<Edit>>,
    line: &str,
) -> Result<(), Failure> {
    let main = Source::read(MAIN, service.read_needed(MAIN)?)?;
    let mut edits = vec![main.declare(module)?];
    if !line.is_empty() {
        edits.extend(calls(&App::of(&main, line)?));
    }
    plan.change(
        MAIN,
        main.text().to_owned(),
        main.with(edits.into_iter().flatten().collect()),
    );
    Ok(())
}
